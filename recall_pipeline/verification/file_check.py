"""Read one file back, in a process of its own: is it there, are its bytes those stated, does it decode?"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from recall_pipeline.audio import Done
from recall_pipeline.download import truncation
from recall_pipeline.errors import NotAudio, PipelineError
from recall_pipeline.storage import NOT_THERE, ArchiveLocation, mismatch, sha256_of
from recall_pipeline.verification.problems import Kind, Problem


@dataclass(frozen=True, slots=True)
class ReadBack:
    """A file to read back. `sha256` may be its beginning, as in the name of an older version."""

    location: ArchiveLocation
    day: date
    key: str
    recording_id: str
    size_bytes: int | None
    sha256: str
    is_sound: bool

    def problem(self, kind: Kind, says: str) -> Problem:
        """Return what is wrong with it."""
        return Problem(self.day, kind, self.key, says, self.recording_id)


def read_back(task: ReadBack) -> Problem | None:
    """Return what is wrong with the file; None when it is what the tables say. Runs in a worker."""
    archive = task.location.open()
    if (said := mismatch(archive, task.key, task.size_bytes, None)) is not None:
        return task.problem(Kind.MISSING if said == NOT_THERE else Kind.CHANGED, said)
    with archive.local_copy(task.key) as local:
        if not sha256_of(local).startswith(task.sha256):
            return task.problem(Kind.CHANGED, "has another SHA-256")
        said = _fault_of_sound(local) if task.is_sound else None
    return task.problem(Kind.UNDECODABLE, said) if said else None


def problem_of(done: Done[ReadBack, Problem | None]) -> Problem | None:
    """Return what reading back came to, whatever ended it."""
    if done.error is None:
        return done.result
    if isinstance(done.error, FileNotFoundError):
        return done.task.problem(Kind.MISSING, NOT_THERE)
    said = str(done.error) if isinstance(done.error, PipelineError | OSError) else type(done.error).__name__
    return done.task.problem(Kind.UNREADABLE, f"cannot be read: {said}")


def _fault_of_sound(local: Path) -> str | None:
    from recall_pipeline.audio import decode_whole

    try:
        return truncation(decode_whole(local))
    except NotAudio as fault:
        return f"does not decode: {fault}"
