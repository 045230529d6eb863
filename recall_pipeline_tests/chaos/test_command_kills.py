"""A few kills of each command that works on the archive; `command_kills` itself makes many."""

from pathlib import Path

import pytest

from recall_pipeline_tests.chaos.command_kills import run

pytestmark = pytest.mark.xdist_group("command_kills")


def test_a_command_that_is_killed_ends_at_its_second_try_as_if_it_were_not(tmp_path: Path) -> None:
    report = run(tmp_path, times=2, seed=3, storage="folder", commands=("migrate", "fixity", "forget"))
    assert report.wrong == []
    assert report.kills == {"migrate": 2, "fixity": 2, "forget": 2}
