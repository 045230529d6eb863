"""What the rows of a page must be, and what is wrong with a row: names of fields and types, never a value."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from recall_pipeline.errors import RecallProtocolError

_MARKS: Mapping[str, frozenset[str]] = {
    "bot": frozenset({"status_changes", "meeting_url", "bot_name", "join_at", "recording_config", "recordings"}),
    "recording": frozenset({"media_shortcuts", "started_at", "completed_at", "expires_at", "desktop_sdk_upload"}),
    "audio_mixed": frozenset({"format", "data", "download_url", "recording"}),
}
"""Fields by which the rows of each kind are recognized."""
_EXPECTED: Mapping[str, str] = {
    "bot": "id (a UUID), status_changes",
    "recording": "id (a UUID), created_at (a date-time)",
    "audio_mixed": "id (a UUID), recording, status, data with download_url",
}
_TYPES: Mapping[type, str] = {dict: "object", list: "list", str: "text", bool: "true or false", int: "number",
                              float: "number", type(None): "null"}  # fmt: skip
_FEWEST_ROWS = 2
_MOST_FIELDS = 12
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,40}")


def check_page(kind: str, rows: Sequence[Any], readable: int) -> None:
    """Raise RecallProtocolError if none of several rows is readable, or if all are of another kind."""
    if not rows:
        return
    if readable == 0 and len(rows) >= _FEWEST_ROWS:
        raise _contract_error(kind, f"none of the {len(rows)} rows of a page can be read", rows[0])
    kinds = {_kind_of(row) for row in rows}
    if len(kinds) == 1 and not kinds & {kind, None}:
        raise _contract_error(kind, f"the rows of a page are of the kind {kinds.pop()}", rows[0])


def no_links_error(shape: str | None, count: int) -> RecallProtocolError:
    """Return the error that `count` finished artifacts have no download URL; `shape` is that of one of them."""
    return RecallProtocolError(
        f"list audio_mixed: {count} MP3s are done for over an hour, and none has a download URL: expected "
        f"{_EXPECTED['audio_mixed']}; came {shape or 'nothing'}: update recall_pipeline, or report this line"
    )


def fault_of_row(kind: str, row: object) -> str:
    """Return what is wrong with a row that cannot be read."""
    if not isinstance(row, dict):
        return f"it is {json_type(row)}, not an object"
    if not is_uuid(row.get("id")):
        return f"its id is not a UUID ({json_type(row.get('id'))})"
    if kind == "recording":
        return f"its created_at is not a date-time ({json_type(row.get('created_at'))})"
    return "it is nested too deeply"


def fields_and_types(row: object) -> str:
    """Return the names and types of the fields of a row; of `data`, those within too."""
    if not isinstance(row, dict):
        return json_type(row)
    names = [name for name in sorted(map(str, row)) if _PLAIN_NAME.fullmatch(name)]
    fields = [f"{name} ({_inner(name, row.get(name))})" for name in names[:_MOST_FIELDS]]
    more = len(row) - len(fields)
    return ", ".join(fields) + (f" and {more} more" if more else "")


def _inner(name: str, value: object) -> str:
    return (
        f"object: {fields_and_types(value)}"
        if name == "data" and isinstance(value, dict) and value
        else json_type(value)
    )


def _kind_of(row: object) -> str | None:
    """Return the kind of which a row has most fields; None if no kind has the most."""
    counts = {kind: len(marks & row.keys()) if isinstance(row, dict) else 0 for kind, marks in _MARKS.items()}
    most = max(counts.values())
    best = [kind for kind, count in counts.items() if count == most]
    return best[0] if most and len(best) == 1 else None


def json_type(value: object) -> str:
    """Return the word for the JSON type of a value."""
    return _TYPES.get(type(value), "unknown")


def is_uuid(value: object) -> bool:
    """Return whether a value is a text that is a UUID."""
    try:
        return isinstance(value, str) and bool(UUID(value))
    except ValueError:
        return False


def _contract_error(kind: str, fault: str, row: object) -> RecallProtocolError:
    return RecallProtocolError(
        f"list {kind}: {fault}: expected {_EXPECTED[kind]}; came {fields_and_types(row)}: "
        "check RECALL_API_URL, update recall_pipeline, or report this line"
    )
