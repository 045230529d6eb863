"""What is failing and which messages were sent: one per cause, repeated once a day, and one when it is over.

Plain state, stored in a sensor's cursor. It depends neither on Dagster nor on the destinations of messages.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

REPEAT_AFTER = timedelta(hours=24)
MOST_AT_ONCE = 10
_MOST_FAILING = 500
_LONGEST_TEXT = 400
_PLACES_NAMED = 5

Send = Callable[[str], bool]
"""Delivers one message; False if it was not delivered and should be sent again."""


@dataclass(slots=True)
class AlertState:
    """`failing` maps each thing that fails to its cause; `sent` maps each cause to the time of its last message."""

    failing: dict[str, str] = field(default_factory=dict)
    sent: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, text: str | None) -> "AlertState":
        """Return the state that `to_json` wrote; an empty one for any other text."""
        try:
            failing, sent = json.loads(text or "[{}, {}]")
            return cls(dict(failing), dict(sent))
        except (ValueError, TypeError):
            return cls()

    def to_json(self) -> str:
        """Return the state as compact JSON."""
        return json.dumps([self.failing, self.sent], separators=(",", ":"))

    def failed(self, thing: str, cause: str) -> None:
        """Record that `thing` fails because of `cause`: one line with the fault and the next action."""
        if thing in self.failing or len(self.failing) < _MOST_FAILING:
            self.failing[thing] = cause[:_LONGEST_TEXT]

    def passed(self, thing: str) -> None:
        """Record that `thing` does not fail."""
        self.failing.pop(thing, None)

    def send_due(self, now: datetime, send: Send) -> int:
        """Send the messages that are due, a bounded number, and return how many were delivered. The rest stay due."""
        delivered = 0
        for cause, message in list(self._due(now))[:MOST_AT_ONCE]:
            if not send(message):
                continue
            delivered += 1
            if cause in self.failing.values():
                self.sent[cause] = now.isoformat()
            else:
                del self.sent[cause]
        return delivered

    def _due(self, now: datetime) -> Iterator[tuple[str, str]]:
        for cause in [cause for cause in self.sent if cause not in self.failing.values()]:
            yield cause, f"Recovered: {cause}"
        for cause in dict.fromkeys(self.failing.values()):
            last = self.sent.get(cause)
            if last is None or now - datetime.fromisoformat(last) >= REPEAT_AFTER:
                yield cause, f"{'Still failing' if last else 'Failed'}: {cause}\nWhere: {self._places(cause)}"

    def _places(self, cause: str) -> str:
        places = sorted(thing for thing, its_cause in self.failing.items() if its_cause == cause)
        more = len(places) - _PLACES_NAMED
        return ", ".join(places[:_PLACES_NAMED]) + (f" and {more} more" if more > 0 else "")
