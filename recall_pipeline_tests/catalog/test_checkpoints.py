"""A day whose normalization is interrupted goes on where it stopped, and readers never see a part of it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from recall_pipeline.audit import FORGOTTEN, AuditRow, record_audit
from recall_pipeline.catalog import CATALOG, day_catalog, normalization
from recall_pipeline.catalog.normalization import NormalizeTask
from recall_pipeline.erasure.day_erasure import erase_day
from recall_pipeline.erasure.plan import ErasureIds
from recall_pipeline.storage import Layout, open_day
from recall_pipeline_tests.storages import FOLDER_AND_BUCKET
from recall_pipeline_tests.workspace import DAY, NINE, Workspace, an_id, talk

MEETINGS, WORKERS, TIMEOUT_SECONDS = 20, 2, 120
PROGRAM = """
import sys
from datetime import date
from recall_pipeline.catalog import sync_catalog
from recall_pipeline.settings import Settings
from recall_pipeline.storage import open_archive, open_day
settings = Settings(storage_url=sys.argv[1], workers=sys.argv[3])
with open_day(open_archive(settings), date.fromisoformat(sys.argv[2])) as day:
    print(sync_catalog(day, settings).normalized)
"""


@pytest.fixture(params=FOLDER_AND_BUCKET)
def storage_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


class Killed(BaseException):
    """Stands in for the kill of the process that collects the results."""


def interrupt(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    """Catalog the day, until all files are normalized and the catalog is about to be written."""

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(day_catalog, "_rows", killed)
        with pytest.raises(Killed):
            workspace.catalog(**changes)


def records(workspace: Workspace) -> list[str]:
    return workspace.keys("_normalized")


class TestTwoKills:
    """Each kill is a SIGKILL to all processes of a sync."""

    @pytest.fixture
    def storage_url(self, folder_url: str) -> str:
        return folder_url

    def test_a_sync_after_kills_normalizes_only_what_was_not_published(self, workspace: Workspace) -> None:
        for number in range(MEETINGS):
            workspace.meet(f"meeting {number}", talk())
        workspace.capture()
        published = 0
        for share in (0.5, 0.75):
            published = self.kill_at(workspace, int(MEETINGS * share))
            assert CATALOG.read(workspace.archive, DAY) is None, "readers never see a part of a day"
        assert published < MEETINGS
        report = workspace.catalog(workers=f"{WORKERS}")
        assert MEETINGS - published <= report.normalized <= MEETINGS - published + WORKERS
        assert [row.outcome for row in report.rows] == ["ready"] * MEETINGS
        assert len(files(workspace)) == MEETINGS
        assert records(workspace) == []

    def kill_at(self, workspace: Workspace, enough: int) -> int:
        """Kill a sync when it has published so many files; return how many there are then."""
        command = [sys.executable, "-c", PROGRAM, workspace.archive.location.root, f"{DAY}", f"{WORKERS}"]
        with subprocess.Popen(command, start_new_session=True) as sync:  # noqa: S603
            deadline = time.monotonic() + TIMEOUT_SECONDS
            while len(files(workspace)) < enough:
                assert sync.poll() is None, "it ended before it was killed"
                assert time.monotonic() < deadline
                time.sleep(0.002)
            os.killpg(sync.pid, signal.SIGKILL)
        return len(files(workspace))


def files(workspace: Workspace) -> list[Path]:
    return list(Path(workspace.archive.location.root, f"normalized_audio/day={DAY}").rglob("*.flac"))


def test_what_was_published_is_taken_up_and_not_counted(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    [mp3] = workspace.meet("one", talk())
    workspace.capture()
    interrupt(workspace, monkeypatch)
    assert records(workspace) == [Layout.checkpoint(DAY, mp3.recording_id, mp3.id)]
    with monkeypatch.context() as patched:
        patched.setattr(normalization, "normalize_task", fails)
        report = workspace.catalog()
    [row] = report.rows
    assert (report.normalized, row.outcome, row.findings) == (0, "ready", [])
    assert row.audio_uri == workspace.archive.uri(Layout.normalized(DAY, mp3.recording_id, mp3.id, "flac"))
    assert records(workspace) == []
    workspace.archive.remove(CATALOG.key(DAY))
    made = workspace.catalog()
    assert made.normalized == 1
    assert [{**_columns(each), "cataloged_at": None} for each in made.rows] == [{**_columns(row), "cataloged_at": None}]


def _columns(row: object) -> dict[str, object]:
    return {name: getattr(row, name) for name in CATALOG.columns}


def fails(task: NormalizeTask) -> None:
    """Stand in for a worker that must not be needed."""
    raise AssertionError(task)


class TestWhatIsNotTakenUp:
    @pytest.fixture
    def storage_url(self, folder_url: str) -> str:
        return folder_url

    def test_a_file_of_another_target(self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
        workspace.meet("one", talk())
        workspace.capture()
        interrupt(workspace, monkeypatch)
        report = workspace.catalog(target_lufs=-23.0)
        assert report.normalized == 1
        assert report.rows[0].audio_lufs == pytest.approx(-23, abs=0.3)
        assert records(workspace) == []

    def test_a_file_that_was_made_of_another_version(
        self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        [mp3] = workspace.meet("one", talk())
        workspace.capture()
        interrupt(workspace, monkeypatch)
        workspace.world.replace_audio(mp3.id, talk(1))
        report = workspace.sync()
        assert (report.normalized, report.rows[0].outcome) == (1, "ready")

    @pytest.mark.parametrize("damage", ["lost", "shorter", "record is garbage", "record of another version"])
    def test_a_file_that_is_not_what_its_record_states(
        self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, damage: str
    ) -> None:
        [mp3] = workspace.meet("one", talk())
        workspace.capture()
        interrupt(workspace, monkeypatch)
        audio = workspace.archive.local_path(Layout.normalized(DAY, mp3.recording_id, mp3.id, "flac"))
        record = workspace.archive.local_path(Layout.checkpoint(DAY, mp3.recording_id, mp3.id))
        if damage == "lost":
            audio.unlink()
        elif damage == "shorter":
            audio.write_bytes(audio.read_bytes()[:-100])
        else:
            record.write_text("{" if damage == "record is garbage" else json.dumps({"columns": {"later": 1}}))
        report = workspace.catalog()
        assert (report.normalized, report.rows[0].outcome) == (1, "ready")
        assert records(workspace) == []

    def test_a_file_of_an_erased_recording(self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
        [mp3] = workspace.meet("one", talk())
        workspace.capture()
        interrupt(workspace, monkeypatch)
        row = AuditRow(FORGOTTEN, mp3.recording_id, None, an_id("one bot"), "request 1", NINE)
        record_audit(workspace.archive, DAY, [row])
        report = workspace.catalog()
        assert [(row.outcome, row.audio_uri) for row in report.rows] == [("forgotten", None)]
        assert records(workspace) == []


def test_an_erasure_removes_the_record_too(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    [mp3] = workspace.meet("one", talk())
    workspace.capture()
    interrupt(workspace, monkeypatch)
    erase_day(workspace.archive, DAY, ErasureIds(frozenset({mp3.recording_id})), "request 1")
    assert records(workspace) == []


def test_an_interrupted_change_of_the_target_leaves_the_catalog_as_it_was(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.meet("one", talk())
    [before] = workspace.sync().rows
    interrupt(workspace, monkeypatch, target_lufs=-23.0)
    assert CATALOG.read(workspace.archive, DAY) == [before]
    with open_day(workspace.archive, DAY) as day:
        changed = workspace.settings.model_copy(update={"target_lufs": -23.0})
        report = day_catalog.sync_catalog(day, changed)
    assert (report.normalized, len(workspace.keys("normalized_audio"))) == (0, 1)
    assert report.rows[0].audio_lufs == pytest.approx(-23, abs=0.3)
