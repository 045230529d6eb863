"""How many cores this process may use: affinity and the quotas of its control groups, not the cores of the machine."""

import os
from collections.abc import Iterator
from math import ceil
from pathlib import Path, PurePosixPath

_GROUPS = Path("/sys/fs/cgroup")
_OWN_GROUPS = Path("/proc/self/cgroup")


def available_cores(groups: Path = _GROUPS, own_groups: Path = _OWN_GROUPS) -> int:
    """Return the cores that this process may use, at least 1; a part of a core counts as one."""
    return max(1, min([_cores_by_affinity(), *(ceil(quota) for quota in _quotas(groups, own_groups))]))


def _cores_by_affinity() -> int:
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quotas(groups: Path, own_groups: Path) -> Iterator[float]:
    """Yield each quota, in cores, of the process's groups and of the groups that contain them."""
    for line in (_text(own_groups) or "").splitlines() or ["0::/"]:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            root, quota_of = groups, _quota_v2
        elif "cpu" in controllers.split(","):
            root, quota_of = groups / "cpu", _quota_v1
        else:
            continue
        own = PurePosixPath(path.lstrip("/"))
        for group in (own, *own.parents):  # in a container the path may be that of the host: only the root is there
            if (quota := quota_of(root / group)) is not None:
                yield quota


def _quota_v2(group: Path) -> float | None:
    """Return the quota in `cpu.max`, whose text is `max 100000` or `<quota> <period>`, microseconds."""
    return _ratio(*(_text(group / "cpu.max") or "").split()[:2])


def _quota_v1(group: Path) -> float | None:
    """Return the quota in two files, microseconds; -1 is none."""
    return _ratio(_text(group / "cpu.cfs_quota_us") or "", _text(group / "cpu.cfs_period_us") or "")


def _ratio(quota: str = "", period: str = "") -> float | None:
    """Return quota by period; None unless both are positive numbers."""
    quota, period = quota.strip(), period.strip()
    return int(quota) / int(period) if quota.isdecimal() and period.isdecimal() and int(period) else None


def _text(path: Path) -> str | None:
    try:
        return path.read_text("ascii")
    except (OSError, ValueError):
        return None
