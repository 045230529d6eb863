"""Which audio settings each deployment used for a day: two on one archive are noticed, and do not undo each other.

A changed setting normalizes a day again. With two deployments of other settings, each sync would undo the last one of
the other. So each catalog states which deployment used which target, and when. A deployment does not return to its
target while another one is at work with another. The state is in the metadata of the tables, as everything that the
archive remembers.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, replace
from datetime import date, datetime, timedelta

from recall_pipeline.catalog.rows import CATALOG
from recall_pipeline.storage import Archive, scan_days

TARGETS_FACT = "audio_targets"
_AT_WORK_FOR = timedelta(hours=48)  # after its last sync
_MOST_USES = 6
_NEIGHBOURS = 3
SAME_SETTINGS = (
    "give both the same RECALL_AUDIO_*, RECALL_TARGET_LUFS, RECALL_TRUE_PEAK_DBTP and RECALL_LIMITER_MAX_DB, or one of "
    "them another RECALL_STORAGE_URL"
)


@dataclass(frozen=True, slots=True)
class TargetUse:
    """A target, the deployment that used it (an id of its Dagster storage), and its first and last sync, UTC."""

    target: str
    deployment: str
    first_at: datetime
    last_at: datetime

    def is_at_work(self, now: datetime) -> bool:
        """Return whether the deployment synced in the last two days."""
        return now - self.last_at <= _AT_WORK_FOR

    @property
    def text(self) -> str:
        """The target and the time of its last use."""
        return f"{self.target} at {self.last_at:%Y-%m-%d %H:%M} UTC"


def uses_in(facts: Mapping[str, str]) -> list[TargetUse]:
    """Return the uses that a catalog states; none for any other text."""
    try:
        stored = json.loads(facts.get(TARGETS_FACT, "[]"))
        return [TargetUse(str(t), str(d), *map(datetime.fromisoformat, moments)) for t, d, *moments in stored]
    except (ValueError, TypeError):
        return []


def with_use(uses: Iterable[TargetUse], target: str, deployment: str, now: datetime) -> dict[str, str]:
    """Return the fact of a catalog that is written `now` by a deployment with this target."""
    by_user = {(use.target, use.deployment): use for use in uses}
    mine = by_user.pop((target, deployment), TargetUse(target, deployment, now, now))
    newest = [*sorted(by_user.values(), key=lambda use: use.last_at), replace(mine, last_at=now)][-_MOST_USES:]
    values = [[*astuple(use)[:2], use.first_at.isoformat(), use.last_at.isoformat()] for use in newest]
    return {TARGETS_FACT: json.dumps(values)}


def opposing_use(uses: Iterable[TargetUse], target: str, deployment: str, now: datetime) -> TargetUse | None:
    """Return the newest use of another target by another deployment at work, if `target` was in use before; else None.

    A target that is new to the archive is a changed setting, and no return.
    """
    known = list(uses)
    others = [use for use in known if use.target != target and use.deployment != deployment and use.is_at_work(now)]
    is_return = any(use.target == target for use in known)
    return max(others, key=lambda use: use.last_at) if others and is_return else None


def uses_near(archive: Archive, day: date) -> list[TargetUse]:
    """Return the uses that the catalogs of the day and of the days beside it state."""
    near = [day + timedelta(days=offset) for offset in range(-_NEIGHBOURS, _NEIGHBOURS + 1)]
    return uses_on(archive, near)


def uses_on(archive: Archive, days: Iterable[date]) -> list[TargetUse]:
    """Return the uses that the readable catalogs of some days state."""
    stored = [scanned.stored for scanned in scan_days(archive, CATALOG, list(days)).values()]
    return [use for each in stored if each for use in uses_in(each.facts)]


def conflict_in(uses: Iterable[TargetUse], now: datetime) -> str | None:
    """Return that two deployments are at work with other targets, if they are.

    Each was used after the other began: one that replaced the other is no conflict.
    """
    known = sorted((use for use in uses if use.is_at_work(now)), key=lambda use: use.last_at)
    for one in known:
        for other in known:
            differ = one.target != other.target and one.deployment != other.deployment
            if differ and one.last_at > other.first_at and other.last_at > one.first_at:
                return f"two deployments normalize with other settings: {one.text}, and {other.text}"
    return None
