"""Normalize archived MP3s, storage to storage, one file per task, in a pool of processes or on Dask."""

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from recall_pipeline.audio import Done, Normalized, Target, run_tasks, time_limit_seconds
from recall_pipeline.catalog.audio_columns import AudioColumns
from recall_pipeline.catalog.checkpoints import Checkpoint, write_checkpoint
from recall_pipeline.catalog.rows import CatalogRow
from recall_pipeline.download import MixedAudioRow
from recall_pipeline.errors import CoordinationError, SettingsError, StorageError
from recall_pipeline.settings import Settings
from recall_pipeline.storage import NOT_THERE, Archive, ArchiveDay, ArchiveLocation, Layout, sha256_of

_VERSION_LENGTH = 8


@dataclass(frozen=True, slots=True)
class NormalizeTask:
    """Input of a worker, without secrets; `taken_key` is the file that the catalog references at present."""

    location: ArchiveLocation
    target: Target
    day: date
    recording_id: str
    audio_id: str
    source_key: str
    taken_key: str | None
    source_sha256: str | None = None
    source_bytes: int | None = None
    source_seconds: float | None = None

    @classmethod
    def of(cls, day: ArchiveDay, target: Target, mp3: MixedAudioRow, row: CatalogRow | None) -> "NormalizeTask":
        """Return the task of an archived MP3; `row` is its row in the catalog at present, if any."""
        taken = Layout.key_in(row.audio_uri) if row and row.audio_uri and row.audio_recipe else None
        return cls(
            day.archive.location,
            target,
            day.day,
            mp3.recording_id,
            mp3.audio_id,
            mp3.source_key or "",
            taken,
            mp3.source_sha256,
            mp3.source_bytes,
            mp3.duration_seconds,
        )


def normalize_task(task: NormalizeTask) -> AudioColumns:
    """Normalize one MP3, publish the file under a free key, and record it. Runs in a worker.

    Raises StorageError if the MP3 is lost or damaged: a normalized file of it, made before, may be the only good copy.
    """
    from recall_pipeline.audio import normalize

    archive = task.location.open()
    with _intact_source(archive, task) as source, archive.staged_file(suffix=f".{task.target.format}") as output:
        return publish_normalized(archive, task, output, normalize(source, output, task.target))


@contextlib.contextmanager
def _intact_source(archive: Archive, task: NormalizeTask) -> Iterator[Path]:
    """Give a local copy of the MP3 of a task, which has the bytes that its row states."""
    with contextlib.ExitStack() as stack:
        try:
            source = stack.enter_context(archive.local_copy(task.source_key))
            problem = None if task.source_sha256 in (None, sha256_of(source)) else "has another SHA-256"
        except FileNotFoundError:
            problem = NOT_THERE
        if problem:
            raise StorageError(f"{archive.uri(task.source_key)} {problem}: run recall-pipeline verify --repair")
        yield source


def publish_normalized(archive: Archive, task: NormalizeTask, output: Path, result: Normalized) -> AudioColumns:
    """Publish the file at `output` under a free key, record it, and return its columns. Raises StorageError."""
    key = _output_key(task, result.audio_sha256)
    archive.publish(output, key)
    columns = AudioColumns.from_result(archive, key, task.target, result)
    record = Layout.checkpoint(task.day, task.recording_id, task.audio_id)
    write_checkpoint(archive, record, Checkpoint(task.audio_id, task.source_sha256, columns))
    return columns


def normalize_all(settings: Settings, tasks: Sequence[NormalizeTask]) -> Iterator[Done[NormalizeTask, AudioColumns]]:
    """Yield each task as it ends, with its result or its error. Raises CoordinationError if a lock is not confirmed."""
    if not tasks:
        return
    with _executor(settings) as executor:
        for done in run_tasks(
            normalize_task, tasks, workers=settings.processes, executor=executor, limit=_limit_seconds
        ):
            if isinstance(done.error, CoordinationError):  # it concerns no file: all others would fail too
                raise done.error
            yield done


def _limit_seconds(task: NormalizeTask) -> float:
    return time_limit_seconds(task.source_bytes, task.source_seconds)


def target_of(settings: Settings) -> Target:
    """Return the target of the settings."""
    return Target(
        format=settings.audio_format,
        sample_rate_hz=settings.audio_sample_rate_hz,
        channels=settings.audio_channels,
        loudness_lufs=settings.target_lufs,
        true_peak_dbtp=settings.true_peak_dbtp,
        limiter_max_db=settings.limiter_max_db,
    )


def _output_key(task: NormalizeTask, sha256: str) -> str:
    """Return the plain key, unless the catalog references it: the old file stays until the new one is cataloged."""
    plain = Layout.normalized(task.day, task.recording_id, task.audio_id, task.target.format)
    if task.taken_key != plain:
        return plain
    return Layout.normalized(task.day, task.recording_id, task.audio_id, task.target.format, sha256[:_VERSION_LENGTH])


@contextlib.contextmanager
def _executor(settings: Settings) -> Iterator[Executor | None]:
    """Give the executor of a Dask cluster if the settings name a scheduler; None: processes of this machine."""
    if not settings.uses_dask:
        yield None
        return
    try:
        from distributed import Client
    except ImportError:
        raise SettingsError(
            f"RECALL_WORKERS {settings.workers} needs the package distributed: "
            "pip install 'recall_pipeline[dask]', or set RECALL_WORKERS=local"
        ) from None
    try:
        cluster = Client(settings.workers)
    except OSError as error:
        raise SettingsError(
            f"RECALL_WORKERS {settings.workers}: no scheduler answers there ({type(error).__name__}): "
            "start it, or set RECALL_WORKERS=local"
        ) from None
    with cluster:
        yield cluster.get_executor(pure=False)  # the same task may be sent again, after its file was lost
