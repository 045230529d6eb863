"""What existed at Recall and for how long: the truth that the archive is compared with."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from recall_sandbox import ExpectedRow, World

Key = tuple[str, str | None]
_ARCHIVED = ("ready", "silent", "corrupt")
_CHANGES_UNTIL = timedelta(days=45)


@dataclass
class Known:
    """One MP3, or a recording without one.

    `nights`: healthy nights since the outcome last changed. `available_nights`: healthy nights in which a good or bad
    version was served. `newest_nights`: those of the newest version. `versions`: outcome by SHA-256, oldest first.
    `publications`: outcome by `updated_at`; a bad version can be replaced by one with the same bytes.
    """

    day: date
    outcome: str
    nights: int = 0
    available_nights: int = 0
    newest_nights: int = 0
    outcomes: set[str] = field(default_factory=set)
    versions: dict[str, str] = field(default_factory=dict)
    publications: dict[datetime, str] = field(default_factory=dict)
    expires_at: datetime | None = None
    is_shown: bool = True

    @property
    def newest(self) -> str:
        """SHA-256 of the newest version."""
        return list(self.versions)[-1]

    @property
    def is_available(self) -> bool:
        """Whether it can be downloaded now."""
        return self.is_shown and self.outcome in _ARCHIVED


class Ledger:
    """All recordings and MP3s that ever existed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._revision = -1
        self.known: dict[Key, Known] = {}
        self.keys_of: dict[str, set[Key]] = {}
        self.fetches: Counter[str] = Counter()
        self.excused: set[str] = set()

    def observe(self, now: datetime) -> None:
        """Record what Recall shows at `now`. Call it after each change."""
        recent = (now - _CHANGES_UNTIL).date()
        shown: set[Key] = set()
        for row in self._world.expected_rows(now):
            key = (row.recording_id, row.audio_id)
            shown.add(key)
            self._note(key, row)
        for key, known in self.known.items():
            if known.day >= recent:
                known.is_shown = key in shown

    def night_passed(self) -> None:
        """Count a night in which everything worked."""
        for known in self.known.values():
            known.nights += 1
            known.available_nights += known.is_available
            known.newest_nights += known.is_available

    def restart(self, days: Iterable[date]) -> None:
        """Count the nights of these days anew, and excuse their downloads: their state in the archive was lost."""
        for key, known in self.of_days(days):
            known.nights = known.available_nights = known.newest_nights = 0
            self.excused.add(key[1] or "")

    def of_days(self, days: Iterable[date]) -> Iterator[tuple[Key, Known]]:
        """Yield what belongs to some days."""
        wanted = set(days)
        yield from ((key, known) for key, known in self.known.items() if known.day in wanted)

    def without_cause(self) -> Iterator[str]:
        """Yield each MP3 that was fetched more often than its publications explain: a bad one is fetched twice."""
        for (_, audio_id), known in self.known.items():
            if audio_id is None or audio_id in self.excused:
                continue
            allowed = sum(2 if outcome == "corrupt" else 1 for outcome in known.publications.values())
            newer_and_bad = "corrupt" in list(known.versions.values())[1:]  # tried again at every sync
            if self.fetches[audio_id] > allowed and not newer_and_bad:
                yield f"{known.day}: MP3 {audio_id} was fetched {self.fetches[audio_id]} times, {allowed} explained"

    def _note(self, key: Key, row: ExpectedRow) -> None:
        known = self.known.get(key)
        if known is None:
            known = self.known[key] = Known(row.day, row.outcome)
            self.keys_of.setdefault(row.recording_id, set()).add(key)
            recording = self._world.recordings.get(row.recording_id)
            known.expires_at = recording.expires_at if recording else None
        if known.outcome != row.outcome:
            known.outcome, known.nights = row.outcome, 0
        known.outcomes.add(row.outcome)
        if not row.is_archived:
            return
        if artifact := self._world.artifacts.get(row.audio_id or ""):
            known.publications[artifact.updated_at] = row.outcome
        if (sha256 := row.digest.sha256) not in known.versions:
            known.versions[sha256] = row.outcome
            known.newest_nights = 0
