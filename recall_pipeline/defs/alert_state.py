"""What is failing, and what has been said about it: one message a cause, repeats once a day, and one when it is over.

Plain state, kept in a sensor's cursor; it knows neither Dagster nor where messages go.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

REPEAT_AFTER = timedelta(hours=24)
MOST_AT_ONCE = 10
_MOST_REMEMBERED = 500
_LONGEST_TEXT = 400
_PLACES_NAMED = 5

Send = Callable[[str], bool]
"""Delivers one message; False when it could not be delivered and should be tried again."""


@dataclass(slots=True)
class AlertState:
    """`failing` maps each thing that fails to its cause; `said` maps each cause to when it was last told."""

    failing: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str | None) -> "AlertState":
        """Read what `written` gave; anything else is an empty book."""
        try:
            failing, said = json.loads(text or "[{}, {}]")
            return cls(dict(failing), dict(said))
        except (ValueError, TypeError):
            return cls()

    def written(self) -> str:
        """Return the book as compact JSON."""
        return json.dumps([self.failing, self.said], separators=(",", ":"))

    def failed(self, thing: str, cause: str) -> None:
        """Note that `thing` fails because of `cause`: what it is and what to do about it, in one line."""
        if thing in self.failing or len(self.failing) < _MOST_REMEMBERED:
            self.failing[thing] = cause[:_LONGEST_TEXT]

    def passed(self, thing: str) -> None:
        """Note that `thing` is in order."""
        self.failing.pop(thing, None)

    def tell(self, now: datetime, send: Send) -> int:
        """Send what is due, a bounded number; return how many were delivered. What could not be stays due."""
        delivered = 0
        for cause, message in list(self._due(now))[:MOST_AT_ONCE]:
            if not send(message):
                continue
            delivered += 1
            if cause in self.failing.values():
                self.said[cause] = now.isoformat()
            else:
                del self.said[cause]
        return delivered

    def _due(self, now: datetime) -> Iterator[tuple[str, str]]:
        for cause in [cause for cause in self.said if cause not in self.failing.values()]:
            yield cause, f"Recovered: {cause}"
        for cause in dict.fromkeys(self.failing.values()):
            last = self.said.get(cause)
            if last is None or now - datetime.fromisoformat(last) >= REPEAT_AFTER:
                yield cause, f"{'Still failing' if last else 'Failed'}: {cause}\nWhere: {self._places(cause)}"

    def _places(self, cause: str) -> str:
        places = sorted(thing for thing, its_cause in self.failing.items() if its_cause == cause)
        more = len(places) - _PLACES_NAMED
        return ", ".join(places[:_PLACES_NAMED]) + (f" and {more} more" if more > 0 else "")
