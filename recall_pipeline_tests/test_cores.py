"""The number of worker processes follows affinity and the quotas of control groups, not the cores of the machine."""

import os
from pathlib import Path

import pytest

from recall_pipeline.settings import Settings
from recall_pipeline.settings.cores import available_cores

MINE = len(os.sched_getaffinity(0))


def groups(root: Path, own: str, **files: str) -> int:
    """Return the cores by control groups with these files; `__` in a name stands for a slash."""
    for name, text in files.items():
        path = root / "groups" / name.replace("__", "/").replace("cpu_max", "cpu.max").replace("cpu_cfs", "cpu.cfs")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "own").write_text(own)
    return available_cores(root / "groups", root / "own")


@pytest.mark.parametrize(
    ("own", "files", "cores"),
    [
        ("0::/\n", {"cpu_max": "100000 100000\n"}, 1),
        ("0::/\n", {"cpu_max": "20000 100000\n"}, 1),
        ("0::/\n", {"cpu_max": "max 100000\n"}, MINE),
        ("0::/\n", {"cpu_max": "99900000 100000\n"}, MINE),
        ("0::/pod/box\n", {"pod__box__cpu_max": "max 100000", "pod__cpu_max": "50000 100000"}, 1),
        ("0::/of/the/host\n", {"cpu_max": "100000 100000"}, 1),
        ("4:cpu,cpuacct:/\n0::/\n", {"cpu__cpu_cfs_quota_us": "100000", "cpu__cpu_cfs_period_us": "100000"}, 1),
        ("4:cpu,cpuacct:/box\n", {"cpu__box__cpu_cfs_quota_us": "9", "cpu__box__cpu_cfs_period_us": "10"}, 1),
        ("4:cpu,cpuacct:/\n", {"cpu__cpu_cfs_quota_us": "-1", "cpu__cpu_cfs_period_us": "100000"}, MINE),
        ("5:cpuset:/\n", {"cpu__cpu_cfs_quota_us": "1", "cpu__cpu_cfs_period_us": "1"}, MINE),
        ("0::/\n", {"cpu_max": "garbage"}, MINE),
        ("", {}, MINE),
    ],
)
def test_the_smallest_quota_counts(tmp_path: Path, own: str, files: dict[str, str], cores: int) -> None:
    assert groups(tmp_path, own, **files) == cores


def test_a_part_of_a_core_counts_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    assert groups(tmp_path, "0::/", cpu_max="150000 100000") == 2


def test_affinity_limits_the_workers_and_a_stated_number_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    assert Settings().processes == 1
    assert Settings(workers="3").processes == 3
