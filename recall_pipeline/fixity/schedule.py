"""Which files a pass reads: those that the cycle needs, the most urgent first. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from recall_pipeline.days import ONE_DAY
from recall_pipeline.fixity.rows import FixityRow

_SHARE_OF_SLACK = 4  # a quarter of the cycle
_LEAST_SLACK = timedelta(days=4)  # runs that may be lost in a row in a short cycle


@dataclass(frozen=True, slots=True)
class ReadingCycle:
    """The time in which every file is read back, days: at least 1.

    A pass aims at a shorter time, so that lost passes and new files do not delay it.
    """

    days: int

    @property
    def limit(self) -> timedelta:
        """The greatest age that a file may reach."""
        return self.days * ONE_DAY

    @property
    def aim(self) -> timedelta:
        """The age at which a file is read at the latest, if no pass is lost."""
        return self.limit - max(self.limit / _SHARE_OF_SLACK, min(_LEAST_SLACK, self.limit / 2))

    def is_overdue(self, row: FixityRow, now: datetime) -> bool:
        """Return whether a file was not read back for too long."""
        return now - row.since > self.limit

    def chosen(self, rows: Sequence[FixityRow], now: datetime) -> list[FixityRow]:
        """Return the files to read in a pass that begins `now`, the most urgent first.

        First those found damaged before, and those that reached the aim. Then those never read and those read longest
        ago, until the share of all bytes is reached that belongs to the time since the last pass, at least a day.
        """
        share_bytes = sum(row.size_bytes or 0 for row in rows) * (self._since_last_pass(rows, now) / self.aim)
        chosen: list[FixityRow] = []
        chosen_bytes = 0
        for row in sorted(rows, key=lambda row: self._urgency(row, now)):
            if chosen_bytes >= share_bytes and not self._is_urgent(row, now):
                break
            chosen.append(row)
            chosen_bytes += row.size_bytes or 0
        return chosen

    def _since_last_pass(self, rows: Sequence[FixityRow], now: datetime) -> timedelta:
        last = max((row.checked_at for row in rows if row.checked_at), default=now)
        return min(max(now - last, ONE_DAY), self.limit)

    def _is_urgent(self, row: FixityRow, now: datetime) -> bool:
        return row.is_damaged or now - row.since >= self.aim

    def _urgency(self, row: FixityRow, now: datetime) -> tuple[bool, bool, bool, datetime, str]:
        return not row.is_damaged, not self._is_urgent(row, now), row.checked_at is not None, row.since, row.key
