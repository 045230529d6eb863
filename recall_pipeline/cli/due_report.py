"""Which days are due, and which were never requested, as lines of text and as JSON."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from recall_pipeline.catalog import DueDays

_NAMED = 5


def due_lines(due: DueDays) -> Iterator[str]:
    """Yield what is due at present, and the days before the archive's first day, which no schedule requests."""
    yield f"due: {_some(due.requested)}" if due.requested else "no day is due"
    if due.waiting:
        yield f"due in later nights: {_some(due.waiting)}; recall-pipeline sync --from DAY --to DAY syncs them at once"
    if due.never_requested:
        first, last = due.never_requested
        yield f"never requested: {_range(first, last)}, before the archive's first day; {_how_to(first, last)}"


def due_as_object(due: DueDays) -> dict[str, Any]:
    """Return the same for JSON: `due`, `waiting`, and `never_requested` with its first and last day, or null."""
    never = due.never_requested
    return {
        "due": [day.isoformat() for day in due.requested],
        "waiting": [day.isoformat() for day in due.waiting],
        "never_requested": {"from": never[0].isoformat(), "to": never[1].isoformat()} if never else None,
    }


def _some(days: Sequence[date]) -> str:
    more = len(days) - _NAMED
    named = ", ".join(map(str, days[:_NAMED]))
    return f"{len(days)} {'day' if len(days) == 1 else 'days'}: {named}" + (f" and {more} more" if more > 0 else "")


def _range(first: date, last: date) -> str:
    return str(first) if first == last else f"{first} to {last} ({(last - first).days + 1} days)"


def _how_to(first: date, last: date) -> str:
    return f"recall-pipeline sync --from {first} --to {last} archives what Recall still has"
