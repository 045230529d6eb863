"""What a simulation did and found."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Report:
    """What happened, and everything that was wrong, by the event before it."""

    days: int = 0
    minutes: float = 0
    recordings: int = 0
    runs: Counter[str] = field(default_factory=Counter)
    changes: dict[str, int] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)
    wrong: dict[str, list[str]] = field(default_factory=dict)
    most_requests: int = 0
    never_seen: int = 0

    def add(self, event: str, faults: list[str]) -> None:
        """Add faults that were not reported before."""
        known = self.wrong.setdefault(event, [])
        every = {fault for faults in self.wrong.values() for fault in faults}
        known += [fault for fault in dict.fromkeys(faults) if fault not in every]
