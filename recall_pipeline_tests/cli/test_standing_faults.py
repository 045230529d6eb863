"""A sync stands faults: a few of those that `recall_pipeline_tests.chaos.faults` tries, and the judge of them all."""

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
    """The archive of the command line under trial, and three pages to each list."""
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
def test_a_sync_ends_well_or_says_why_and_the_next_one_completes_the_archive(
    sandboxed: Run, trial: Trial, name: str
) -> None:
    fault, plan = BY_NAME[name], trial.sandbox.faults
    rules = [plan.add(rule) for rule in fault.inject(trial)]
    said = sandboxed("sync", *ONE_DAY)
    assert said.status in fault.statuses
    assert fault.message in said.err
    assert all(map(plan.applied, rules))
    assert trial.look() == []
    plan.clear()
    assert sandboxed("sync", *(fault.again(trial) or ONE_DAY)).status == 0
    assert trial.look() == trial.shortfalls() == []


def test_a_sync_whose_processes_are_all_killed_is_completed_by_the_next(tmp_path: Path) -> None:
    assert attempt(BY_NAME["all processes killed while downloading"], tmp_path / "trial").wrong == []


def test_the_judge_of_an_archive_notices_whatever_is_wrong(sandboxed: Run, trial: Trial) -> None:
    assert sandboxed("sync", *ONE_DAY).status == 0
    assert trial.shortfalls() == []
    good = {path: path.read_bytes() for path in trial.data.rglob("*") if path.is_file()}
    for harm, says in HARMS:
        harm(trial.data)
        assert says in " ".join(trial.shortfalls())
        for path in [path for path in trial.data.rglob("*") if path.is_file()]:
            path.unlink()
        for path, content in good.items():
            path.write_bytes(content)
    assert trial.shortfalls() == []


def one(folder: Path, suffix: str) -> Path:
    """The first file of a kind."""
    return min(folder.rglob(f"*{suffix}"))


def edited_catalog(edit: Callable[[pa.Table], pa.Table]) -> Callable[[Path], None]:
    def harm(data: Path) -> None:
        path = one(data, "audio_catalog.parquet")
        pq.write_table(edit(pq.read_table(io.BytesIO(path.read_bytes()))), path)

    return harm


def added(name: str, like: str) -> Callable[[Path], None]:
    def harm(data: Path) -> None:
        path = one(data, like).with_name(name) if like else data / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")

    return harm


def shortened(suffix: str) -> Callable[[Path], None]:
    def harm(data: Path) -> None:
        path = one(data, suffix)
        path.write_bytes(path.read_bytes()[:-2000])

    return harm


HARMS: list[tuple[Callable[[Path], None], str]] = [
    (lambda data: one(data, ".mp3").unlink(), "the original does not match the row"),
    (lambda data: one(data, ".flac").unlink(), "the normalized file does not match the row"),
    (shortened(".mp3"), "the original does not match the row"),
    (shortened(".flac"), "is torn"),
    (shortened(".parquet"), "cannot be read"),
    (edited_catalog(lambda table: pa.concat_tables([table, table.slice(0, 1)])), "audio_catalog has 2 rows of"),
    (edited_catalog(lambda table: table.slice(1)), "None instead of"),
    (added("notes.txt", ".mp3"), "is a stray file"),
    (added(".hidden.flac", ".flac"), "is a stray file"),
    (added("_spool/scratch", ""), "is left in the staging folder"),
]
