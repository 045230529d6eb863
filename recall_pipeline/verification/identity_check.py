"""Open an archive to verify it, also one whose `archive.json` is damaged."""

from recall_pipeline.errors import ArchiveUnreadable
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, ArchiveLocation, open_archive


def open_to_verify(settings: Settings) -> tuple[Archive, str | None]:
    """Return the archive, and why its `archive.json` cannot be read; None if it can, or if there is none.

    Raises ArchiveRefused for a newer format.
    """
    try:
        return open_archive(settings), None
    except ArchiveUnreadable as damaged:
        return ArchiveLocation.from_settings(settings).open(), str(damaged)
