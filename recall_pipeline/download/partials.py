"""Partial files in the staging folder: the next sync resumes them, and removes them after a week."""

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from recall_pipeline.download.content_codings import stages_of, unpack

_SUFFIX, _NOTE, _UNPACKED = ".part", ".json", ".unpacked"
_KEPT_SECONDS = 7 * 86_400  # the URL and the version that it began with have changed by then


@dataclass(frozen=True, slots=True)
class Partial:
    """A partial file, and the file beside it with what a resume needs to know."""

    path: Path

    @classmethod
    def of(cls, staging_folder: Path, audio_id: str) -> "Partial":
        """Return the partial file of an artifact."""
        return cls(staging_folder / f"{audio_id}{_SUFFIX}")

    @property
    def _note(self) -> Path:
        return self.path.with_name(f"{self.path.name}{_NOTE}")

    @property
    def _unpacked(self) -> Path:
        return self.path.with_name(f"{self.path.stem}{_UNPACKED}{_SUFFIX}")

    @property
    def size_bytes(self) -> int:
        """Bytes received so far."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:  # another sync may have published it just now
            return 0

    @property
    def etag(self) -> str | None:
        """The strong ETag of the source; None when the download cannot be resumed."""
        noted = self._noted("etag")
        return noted if isinstance(noted, str) else None

    @property
    def total(self) -> int | None:
        """The length of the whole body as the source stated it; None when it stated none."""
        noted = self._noted("total")
        return noted if isinstance(noted, int) else None

    @property
    def coding(self) -> str | None:
        """The Content-Encoding of the source."""
        noted = self._noted("coding")
        return noted if isinstance(noted, str) else None

    def start(self, etag: str | None, total: int | None = None, coding: str | None = None) -> None:
        """Truncate the file, and note what is known about the new source."""
        self.discard()
        self.path.touch(mode=0o600)
        self._note.touch(mode=0o600)
        self._note.write_text(json.dumps({"etag": etag, "total": total, "coding": coding}))

    def unpack(self, limit_bytes: int) -> bool:
        """Replace a whole body that is packed by its content; return False if it is not packed.

        Raises TransferRefused if the content is larger than `limit_bytes`, and OSError if it cannot be written.
        """
        if not unpack(self.path, self.coding or "", self._unpacked, limit_bytes):
            return False
        self._note.unlink(missing_ok=True)  # first: what is left after a kill must not be resumed
        self._unpacked.replace(self.path)
        return True

    def discard(self) -> None:
        """Remove the file, its note, and what a killed process left of its content."""
        for path in (self.path, self._note, self._unpacked, *stages_of(self._unpacked)):
            path.unlink(missing_ok=True)

    def _noted(self, name: str) -> object:
        try:
            noted: object = json.loads(self._note.read_text()).get(name)
        except (OSError, ValueError, AttributeError):
            return None
        return noted


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Number and total size of the partial files."""

    files: int = 0
    size_bytes: int = 0


def unfinished(staging_folder: Path) -> Unfinished:
    """Return the number and size of the partial files; zero without a staging folder."""
    sizes = [partial.size_bytes for partial in _partials(staging_folder)]
    return Unfinished(len(sizes), sum(sizes))


def sweep_partials(staging_folder: Path) -> None:
    """Remove partial files that are a week old, and notes without a file."""
    oldest = time.time() - _KEPT_SECONDS  # not `utc_now`: the system's clock dates files
    for partial in _partials(staging_folder):
        with contextlib.suppress(FileNotFoundError):  # another sync finished or removed it
            if partial.path.stat().st_mtime < oldest:
                partial.discard()
    for note in staging_folder.glob(f"*{_SUFFIX}{_NOTE}"):
        if not note.with_suffix("").exists():
            note.unlink(missing_ok=True)


def _partials(staging_folder: Path) -> Iterator[Partial]:
    yield from (Partial(path) for path in staging_folder.glob(f"*{_SUFFIX}"))
