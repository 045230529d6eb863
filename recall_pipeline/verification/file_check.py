"""Check one file in a worker process: it exists, it matches the size and hash in its row, and it decodes."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from recall_pipeline.audio import Done
from recall_pipeline.download import truncation
from recall_pipeline.errors import NotAudio, PipelineError, with_handle_hint
from recall_pipeline.storage import NOT_THERE, ArchiveLocation, sha256_of, size_mismatch
from recall_pipeline.verification.codes import Code
from recall_pipeline.verification.problems import Problem


@dataclass(frozen=True, slots=True)
class FileCheck:
    """A file to check. `sha256` may be a prefix, as in the key of an older version.

    With `size_bytes` None the size is not checked. With `is_audio` the file has to decode to its full length.
    """

    location: ArchiveLocation
    day: date
    key: str
    recording_id: str
    size_bytes: int | None
    sha256: str
    is_audio: bool

    def problem(self, code: Code, message: str) -> Problem:
        """Return a problem of this file."""
        return Problem(self.day, code, self.key, message, self.recording_id)


def check_file(task: FileCheck) -> Problem | None:
    """Return the problem of the file; None if it matches the tables. Runs in a worker process."""
    archive = task.location.open()
    size_bytes = archive.size_bytes(task.key)
    if (message := size_mismatch(size_bytes, task.size_bytes)) is not None:
        differs = Code.FILE_SIZE_DIFFERS if size_bytes else Code.FILE_EMPTY
        return task.problem(Code.FILE_MISSING if message == NOT_THERE else differs, message)
    with archive.local_copy(task.key) as local:
        if not sha256_of(local).startswith(task.sha256):
            return task.problem(Code.FILE_CHANGED, "has another SHA-256")
        message = _decode_error(local) if task.is_audio else None
    return task.problem(Code.FILE_UNDECODABLE, message) if message else None


def problem_of(done: Done[FileCheck, Problem | None]) -> Problem | None:
    """Return the problem that a finished check found, or the error that ended it as a problem."""
    if done.error is None:
        return done.result
    if isinstance(done.error, FileNotFoundError):
        return done.task.problem(Code.FILE_MISSING, NOT_THERE)
    reason = str(done.error) if isinstance(done.error, PipelineError | OSError) else type(done.error).__name__
    return done.task.problem(Code.FILE_UNREADABLE, with_handle_hint(f"cannot be read: {reason}"))


def _decode_error(local: Path) -> str | None:
    from recall_pipeline.audio import decode_whole

    try:
        return truncation(decode_whole(local))
    except NotAudio as error:
        return f"does not decode: {error}"
