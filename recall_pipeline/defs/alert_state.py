"""What is failing and which messages were sent: one per cause, repeated once a day, and one when it is over.

Another place that fails from a known cause is reported too, at most once an hour. Plain state, stored in a sensor's
cursor. It depends neither on Dagster nor on the destinations of messages.
"""

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

REPEAT_AFTER = timedelta(hours=24)
NEW_PLACES_AFTER = timedelta(hours=1)
MOST_AT_ONCE = 10
_MOST_FAILING = 500
_LONGEST_TEXT = 400
_PLACES_NAMED = 5
_ABOUT_NEW = (
    "This version does not know it, and reads everything else as before. If audio goes missing, publish the report of "
    "recall-pipeline doctor --probe"
)

Send = Callable[[str], bool]
"""Delivers one message; False if it was not delivered and should be sent again."""


@dataclass(slots=True)
class Failing:
    """Why a place fails, when it last did (ISO 8601), and whether a message of this cause named it."""

    cause: str
    at: str
    is_reported: bool = False


@dataclass(slots=True)
class Sent:
    """When the last message of a cause was sent (ISO 8601); `lapsed`: no run is due any more in which it can end."""

    at: str
    lapsed: bool = False


@dataclass(slots=True)
class AlertState:
    """`failing` maps each place that fails to its cause; `sent` maps each cause to its last message.

    `notices` are names that are new at Recall.ai, and whether the one message about each was sent.
    """

    failing: dict[str, Failing] = field(default_factory=dict)
    sent: dict[str, Sent] = field(default_factory=dict)
    notices: dict[str, bool] = field(default_factory=dict)

    @classmethod
    def from_json(cls, text: str | None) -> "AlertState":
        """Return the state that `to_json` wrote; an empty one for any other text."""
        try:
            failing, sent, *others = json.loads(text or "[{}, {}]")
            return cls(
                {place: Failing(*values) for place, values in failing.items()},
                {cause: Sent(*values) for cause, values in sent.items()},
                {name: bool(is_sent) for notices in others for name, is_sent in notices.items()},
            )
        except (ValueError, TypeError, AttributeError):
            return cls()

    def to_json(self) -> str:
        """Return the state as compact JSON."""
        parts = ({key: dataclasses.astuple(value) for key, value in part.items()} for part in (self.failing, self.sent))
        return json.dumps([*parts, self.notices], separators=(",", ":"))

    def failed(self, place: str, cause: str, at: datetime) -> None:
        """Record that `place` fails because of `cause`: one line with the fault and the next action."""
        text, before = cause[:_LONGEST_TEXT], self.failing.pop(place, None)
        if len(self.failing) >= _MOST_FAILING:
            self._make_room()
        is_known = before is not None and before.cause == text
        self.failing[place] = Failing(text, at.isoformat(), is_known and before is not None and before.is_reported)

    def passed(self, place: str) -> None:
        """Record that `place` does not fail."""
        self.failing.pop(place, None)

    def lapse(self, place: str) -> None:
        """Record that `place` failed, and that no run is due any more that could mend it."""
        failing = self.failing.pop(place, None)
        if failing and failing.cause in self.sent and failing.cause not in self._causes():
            self.sent[failing.cause].lapsed = True

    def set_notices(self, names: Collection[str]) -> None:
        """Set the names that are new; each is reported once, together with the others that were not yet."""
        self.notices = {name: self.notices.get(name, False) for name in sorted(names)}

    def send_due(self, now: datetime, send: Send) -> int:
        """Send the messages that are due, a bounded number, and return how many were delivered. The rest stay due."""
        delivered = 0
        for cause, message in list(self._due(now))[:MOST_AT_ONCE]:
            if not send(message):
                continue
            delivered += 1
            if cause in self._causes():
                self._note_sent(cause, now)
            else:
                del self.sent[cause]
        return delivered + self._send_notices(send)

    def _send_notices(self, send: Send) -> int:
        pending = [name for name, is_sent in self.notices.items() if not is_sent]
        more = f" and {len(pending) - MOST_AT_ONCE} more" if len(pending) > MOST_AT_ONCE else ""
        if not pending or not send(f"New at Recall.ai: {', '.join(pending[:MOST_AT_ONCE])}{more}\n{_ABOUT_NEW}"):
            return 0
        self.notices |= dict.fromkeys(pending, True)
        return 1

    def _due(self, now: datetime) -> Iterator[tuple[str, str]]:
        causes = self._causes()
        for cause, last in self.sent.items():
            if cause not in causes:
                yield cause, f"{'No longer due' if last.lapsed else 'Recovered'}: {cause}"
        for cause in causes:
            if (title := self._title(cause, now)) is not None:
                yield cause, f"{title}: {cause}\nWhere: {self._places(cause)}"

    def _title(self, cause: str, now: datetime) -> str | None:
        """Return the first words of the message of a cause; None if none is due."""
        last = self.sent.get(cause)
        if last is None:
            return "Failed"
        silent_for = now - datetime.fromisoformat(last.at)
        if silent_for >= REPEAT_AFTER:
            return "Still failing"
        is_spreading = any(not each.is_reported for each in self.failing.values() if each.cause == cause)
        return "Fails in more places" if is_spreading and silent_for >= NEW_PLACES_AFTER else None

    def _note_sent(self, cause: str, now: datetime) -> None:
        self.sent[cause] = Sent(now.isoformat())
        for failing in self.failing.values():
            failing.is_reported = failing.is_reported or failing.cause == cause

    def _causes(self) -> Counter[str]:
        """Return the number of places that fail from each cause, in the order in which they failed."""
        return Counter(failing.cause for failing in self.failing.values())

    def _make_room(self) -> None:
        """Remove the oldest place of the cause that has most: what fails tonight is more important."""
        ((cause, _),) = self._causes().most_common(1)
        oldest = min((each.at, place) for place, each in self.failing.items() if each.cause == cause)
        del self.failing[oldest[1]]

    def _places(self, cause: str) -> str:
        """Return some places that fail from a cause, those first that no message has named."""
        failing = {place: each for place, each in self.failing.items() if each.cause == cause}
        places = sorted(failing, key=lambda place: (failing[place].is_reported, place))
        more = len(places) - _PLACES_NAMED
        return ", ".join(places[:_PLACES_NAMED]) + (f" and {more} more" if more > 0 else "")
