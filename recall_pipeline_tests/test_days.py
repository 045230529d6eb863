"""The clock of the pipeline can be replaced; nothing reads another one."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import recall_pipeline
import recall_sandbox
from recall_pipeline.days import clock_replaced, utc_now
from recall_sandbox.demo import demo_world
from recall_sandbox.world import World

_MOMENT = datetime(2025, 12, 31, 23, 59, tzinfo=UTC)
_OTHER_CLOCKS = re.compile(r"datetime\.now\(|datetime\.today\(|date\.today\(|utcnow\(|\btime\.time(_ns)?\(")
_ALLOWED = {
    "recall_pipeline/days.py",
    "recall_pipeline/download/partials.py",  # compares with the dates of files
    "recall_pipeline/storage/temp_files.py",  # likewise
    "recall_sandbox/clock.py",
    "recall_sandbox/webhooks.py",  # signs for a library that reads the system's clock
}


def test_every_part_reads_a_replaced_clock_until_the_block_ends() -> None:
    with clock_replaced(lambda: _MOMENT), clock_replaced(lambda: _MOMENT + timedelta(hours=1)):
        assert utc_now() == _MOMENT + timedelta(hours=1)
    assert utc_now() - datetime.now(UTC) < timedelta(minutes=1)


def test_a_block_that_raises_restores_the_clock() -> None:
    with pytest.raises(ValueError, match="stop"), clock_replaced(lambda: _MOMENT):
        raise ValueError("stop")
    assert utc_now() > _MOMENT


@pytest.mark.parametrize("package", [recall_pipeline, recall_sandbox])
def test_no_module_reads_a_clock_that_cannot_be_replaced(package: object) -> None:
    folder = Path(str(package.__file__)).parent  # type: ignore[attr-defined]
    found = {
        f"{folder.name}/{file.relative_to(folder).as_posix()}"
        for file in folder.rglob("*.py")
        if _OTHER_CLOCKS.search(file.read_text(encoding="utf-8"))
    }
    assert found <= _ALLOWED


def test_changes_of_a_world_are_dated_by_its_clock() -> None:
    world = World(lambda: _MOMENT)
    world.add(*demo_world(_MOMENT.date()).bots, *demo_world(_MOMENT.date()).artifacts)
    artifact = next(iter(world.artifacts))
    world.delete_artifact(artifact.id)
    found = world.artifacts.get(artifact.id)
    assert found is not None
    assert found.updated_at == _MOMENT
