"""The storage check of `doctor`: try every request that sync, verify, forget and webhooks send to the storage."""

import contextlib
from uuid import uuid4

from recall_pipeline.errors import PipelineError
from recall_pipeline.settings import Settings
from recall_pipeline.storage import ROOT_NAMES, Archive, open_archive, weaknesses_of
from recall_pipeline.verification import strange_names

_SHOWN_NAMES = 5
_CONTENT = b"written by recall-pipeline doctor"


def check_storage(settings: Settings) -> str:
    """Try the storage below a new prefix, remove what was written, and return one line about it.

    Raises PipelineError for the first request that fails.
    """
    archive, folder = open_archive(settings), f"_doctor-{uuid4().hex[:8]}"
    archive.names("bots")  # first: a refusal of it is about rights or keys, not about uploads
    try:
        _try_requests(archive, folder)
        notes = _weaknesses(archive) + _strange(archive)
    finally:
        with contextlib.suppress(PipelineError):
            archive.remove_below(folder)
        archive.close_staging_folder()
    return f"wrote, read back, listed, moved and deleted below {settings.storage_root}{notes}"


def _try_requests(archive: Archive, folder: str) -> None:
    first, moved = f"{folder}/first", f"{folder}/moved/second"
    with archive.exclusive_lock("doctor"), archive.staged_file() as written:
        written.write_bytes(_CONTENT)
        archive.publish(written, first)
    _expect(archive, archive.read(first) == _CONTENT and archive.size_bytes(first) == len(_CONTENT), first)
    with archive.local_copy(first) as copy:
        _expect(archive, copy.read_bytes() == _CONTENT, first)
    archive.try_multipart_upload(f"{folder}/parts")
    archive.move_many({first: moved})
    _expect(archive, archive.names(folder) == ["moved"], folder)
    _expect(archive, archive.sizes_below(folder) == {moved: len(_CONTENT)}, folder)
    archive.remove(moved)
    _expect(archive, not archive.exists(moved) and archive.read(moved) is None, moved)


def _expect(archive: Archive, is_as_written: bool, key: str) -> None:
    if not is_as_written:
        raise PipelineError(
            f"{archive.uri(key)} reads back differently from what was written: do not trust this storage"
        )


def _strange(archive: Archive) -> str:
    """Return the names that are not those of an archive; nothing is refused for them."""
    found = [name for name in archive.names("") if name not in ROOT_NAMES and not name.startswith("_doctor-")]
    found += strange_names(archive)
    shown = ", ".join(found[:_SHOWN_NAMES]) + (f" and {len(found) - _SHOWN_NAMES} more" * (len(found) > _SHOWN_NAMES))
    return f"; names that are not of an archive: {shown}" if found else ""


def _weaknesses(archive: Archive) -> str:
    """Return what the file systems of a local archive and of the staging folder cannot do."""
    folders = [archive.open_staging_folder(), *([archive.local_path("")] if archive.is_local else [])]
    found = dict.fromkeys(phrase for folder in folders for phrase in weaknesses_of(folder))
    return f"; weaker here: {'; '.join(found)}" if found else ""
