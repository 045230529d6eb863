"""A day larger than a machine: the same tasks on a Dask cluster, of which a worker may die."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import dask
import pytest
from distributed import LocalCluster

from recall_pipeline.catalog import CATALOG, normalization
from recall_pipeline.catalog.audio_columns import AudioColumns
from recall_pipeline.catalog.normalization import NormalizeTask, normalize_all, normalize_task
from recall_pipeline.errors import SettingsError
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive
from recall_pipeline_tests.catalog.test_normalization import task
from recall_pipeline_tests.workspace import DAY, Workspace, an_id, talk

_HEAVY = an_id("meeting 2 mp3 0")


def kills_its_worker_once(task: NormalizeTask) -> AudioColumns:
    """Stand in for a worker that is killed at its first look at `_HEAVY`; note which process did which task."""
    diary = Path(task.location.root).parent / "diary"
    diary.mkdir(exist_ok=True)
    (diary / f"{os.getpid()} did {task.audio_id}").touch()
    if task.audio_id == _HEAVY and len(list(diary.glob(f"* did {_HEAVY}"))) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return normalize_task(task)


@pytest.fixture
def scheduler() -> Iterator[str]:
    """The address of a cluster of three processes."""
    with LocalCluster(n_workers=3, threads_per_worker=1, dashboard_address=None, memory_limit=0) as cluster:
        yield cluster.scheduler_address


@pytest.mark.on_disk
def test_a_killed_worker_costs_nothing_but_its_time(
    workspace: Workspace, scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        workspace.meet(f"meeting {number}", talk(number))
    monkeypatch.setattr(normalization, "normalize_task", kills_its_worker_once)
    workspace.capture()
    cataloged = workspace.catalog(workers=scheduler)
    assert [row.outcome for row in cataloged.rows] == ["ready"] * 6
    assert cataloged.normalized == 6
    assert CATALOG.read(workspace.archive, DAY) == cataloged.rows
    assert len(workspace.keys("normalized_audio")) == 6
    diary = [path.name.partition(" did ") for path in (tmp_path / "diary").iterdir()]
    assert len({process for process, _, audio_id in diary if audio_id == _HEAVY}) == 2
    assert len({process for process, _, _ in diary}) >= 3


def test_a_scheduler_that_does_not_answer_is_one_clear_line(archive: Archive) -> None:
    with socket.socket() as nobody, dask.config.set({"distributed.comm.timeouts.connect": "100ms"}):
        nobody.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{nobody.getsockname()[1]}"
        with pytest.raises(SettingsError, match=f"RECALL_WORKERS {address}: no scheduler answers there"):
            list(normalize_all(Settings(workers=address), [task(archive)]))
