"""A sync under some faults of `recall_pipeline_tests.chaos.faults`, and the checks that those trials use."""

import io
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recall_pipeline_tests.chaos.faults import FAULTS, attempt
from recall_pipeline_tests.chaos.trials import Trial, small_world
from recall_pipeline_tests.cli.conftest import YESTERDAY, Run
from recall_sandbox import Sandbox, World

ONE_DAY = ("--from", f"{YESTERDAY}", "--to", f"{YESTERDAY}")
BY_NAME = {fault.name: fault for fault in FAULTS}


@pytest.fixture
def world() -> World:
    return small_world(YESTERDAY)


@pytest.fixture
def trial(sandbox: Sandbox, tmp_path: Path) -> Trial:
    """A trial on the archive of the command line, with three pages per list."""
    sandbox.behaviour.page_size = 3
    return Trial(tmp_path, sandbox, YESTERDAY)


@pytest.mark.parametrize(
    "name",
    [
        "listing fails half way",
        "403 in the middle of a download",
        "an error page as audio, every time",
    ],
)
def test_a_sync_succeeds_or_reports_the_error_and_the_next_one_completes_the_archive(
    sandboxed: Run, trial: Trial, name: str
) -> None:
    fault, plan = BY_NAME[name], trial.sandbox.faults
    rules = [plan.add(rule) for rule in fault.inject(trial)]
    result = sandboxed("sync", *ONE_DAY)
    assert result.status in fault.statuses
    assert fault.message in result.err
    assert all(map(plan.applied, rules))
    assert trial.look() == []
    plan.clear()
    assert sandboxed("sync", *(fault.again(trial) or ONE_DAY)).status == 0
    assert trial.look() == trial.shortfalls() == []


def test_a_sync_whose_processes_are_killed_is_completed_by_the_next(tmp_path: Path) -> None:
    assert attempt(BY_NAME["all processes killed while downloading"], tmp_path / "trial").wrong == []


def test_the_checks_of_a_trial_detect_every_kind_of_damage(sandboxed: Run, trial: Trial) -> None:
    assert sandboxed("sync", *ONE_DAY).status == 0
    assert trial.shortfalls() == []
    intact = {path: path.read_bytes() for path in trial.data.rglob("*") if path.is_file()}
    for damage, message in DAMAGES:
        damage(trial.data)
        assert message in " ".join(trial.shortfalls())
        for path in [path for path in trial.data.rglob("*") if path.is_file()]:
            path.unlink()
        for path, content in intact.items():
            path.write_bytes(content)
    assert trial.shortfalls() == []


def first_file(folder: Path, suffix: str) -> Path:
    """The first file with the suffix."""
    return min(folder.rglob(f"*{suffix}"))


def edited_catalog(edit: Callable[[pa.Table], pa.Table]) -> Callable[[Path], None]:
    def damage(data: Path) -> None:
        path = first_file(data, "audio_catalog.parquet")
        pq.write_table(edit(pq.read_table(io.BytesIO(path.read_bytes()))), path)

    return damage


def added(name: str, like: str) -> Callable[[Path], None]:
    def damage(data: Path) -> None:
        path = first_file(data, like).with_name(name) if like else data / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")

    return damage


def shortened(suffix: str) -> Callable[[Path], None]:
    def damage(data: Path) -> None:
        path = first_file(data, suffix)
        path.write_bytes(path.read_bytes()[:-2000])

    return damage


DAMAGES: list[tuple[Callable[[Path], None], str]] = [
    (lambda data: first_file(data, ".mp3").unlink(), "the original does not match the row"),
    (lambda data: first_file(data, ".flac").unlink(), "the normalized file does not match the row"),
    (shortened(".mp3"), "the original does not match the row"),
    (shortened(".flac"), "is torn"),
    (shortened(".parquet"), "cannot be read"),
    (edited_catalog(lambda table: pa.concat_tables([table, table.slice(0, 1)])), "audio_catalog has 2 rows of"),
    (edited_catalog(lambda table: table.slice(1)), "None instead of"),
    (added("notes.txt", ".mp3"), "is a stray file"),
    (added(".hidden.flac", ".flac"), "is a stray file"),
    (added("_spool/scratch", ""), "is left in the staging folder"),
]
