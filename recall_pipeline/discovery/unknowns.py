"""Fields, codes and types at Recall.ai that this version does not know: counted per day, and when each was first seen.

They are facts of the table `recordings`. A name is new if neither this day nor any other day of the archive has it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from recall_pipeline.storage import ArchiveDay, Table, scan_days

if TYPE_CHECKING:
    from recall_pipeline.recall_api import Upstream

_FACT = "unknowns"
_MOST_NAMES = 200
_NEAR_DAYS = 14  # almost always one of them has the name, so the others are not read


@dataclass(frozen=True, slots=True)
class Unknowns:
    """`counts`: rows of the day by name. `first_seen`: the names that this day had first, and when."""

    counts: Mapping[str, int] = field(default_factory=dict)
    first_seen: Mapping[str, datetime] = field(default_factory=dict)

    @classmethod
    def of(cls, facts: Mapping[str, str] | None) -> "Unknowns":
        """Return what the facts of a day's table `recordings` state; nothing for other facts."""
        try:
            counts, first_seen = json.loads((facts or {})[_FACT])
            return cls(counts, {name: datetime.fromisoformat(moment) for name, moment in first_seen.items()})
        except (KeyError, ValueError, TypeError, AttributeError):
            return cls()

    def facts(self) -> dict[str, str]:
        """Return the facts to store; none if nothing is unknown."""
        moments = {name: moment.isoformat() for name, moment in self.first_seen.items()}
        return {_FACT: json.dumps([dict(self.counts), moments], sort_keys=True)} if self.counts else {}


def unknowns_of(day: ArchiveDay, upstream: "Upstream", recordings: Table[Any]) -> Unknowns:
    """Return what is unknown among the rows of `day`, now or at an earlier sync. Raises StorageError."""
    stored = day.stored(recordings)
    before = Unknowns.of(stored.facts if stored else None)
    shown = {**upstream.client.unknowns_looked_up(day.day), **upstream.listing.unknowns_of(day.day)}
    counts = {**before.counts, **{name: shown[name] for name in sorted(shown)[:_MOST_NAMES]}}
    new = counts.keys() - before.counts.keys()
    new = _not_elsewhere(day, recordings, new) if new else new
    return Unknowns(counts, {**before.first_seen, **dict.fromkeys(sorted(new), upstream.listing.listed_at)})


def _not_elsewhere(day: ArchiveDay, recordings: Table[Any], names: set[str]) -> set[str]:
    """Return those of `names` that no other day of the archive has. The nearest days are read first."""

    def distance(other: date) -> int:
        return abs((other - day.day).days)

    others = sorted((other for other in day.archive.days(recordings.name) if other != day.day), key=distance)
    for part in (others[:_NEAR_DAYS], others[_NEAR_DAYS:]):
        for scanned in scan_days(day.archive, recordings, part).values() if names else ():
            names = names - Unknowns.of(scanned.stored.facts if scanned.stored else None).counts.keys()
    return names
