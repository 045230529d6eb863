"""Give the fields of an answer the shapes that a report describes.

A value whose shape the report has stays. An object that is a text or an id there becomes its code or id. Every other
value becomes null, absent, or an example of a reported shape. Times, ids, objects and filled lists are never invented,
since they would mean something.
"""

import re
import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from recall_sandbox.like_switches import ReportedAnswers, Shapes

_EXAMPLES: Mapping[str, Any] = {
    "null": None,
    "boolean": False,
    "number": 1,
    "text": "text",
    "empty text": "",
    "url": "https://zoom.us/j/81234567890",
    "empty list": [],
    "empty object": {},
}
_OF_OBJECT = (("text", "code"), ("uuid", "id"))
"""What stands for an object in each shape: a status is its code, a reference its id."""
_MISSING = ("null", "absent")
_KEPT_IN = "bot"  # only in bots: a partly missing field elsewhere depends on the state of its object


def shaped(answers: ReportedAnswers, place: str, value: Any) -> Any:
    """Return an object, or a list of objects, in the shapes that `answers.fields` has for `place`."""
    if isinstance(value, list):
        return [shaped(answers, place, item) for item in value]
    if not isinstance(value, dict):
        return value
    whole = {name: _shaped_within(answers, place, name, item) for name, item in value.items()}
    fields = answers.fields.get(place)
    if fields is None:
        return whole
    chosen = {name: _shaped_value(fields, place, name, item, str(value.get("id"))) for name, item in whole.items()}
    unlisted = {f"unlisted_{number}": "text" for number in range(answers.unlisted.get(place, 0))}
    return {name: item for name, item in chosen.items() if item is not _ABSENT} | unlisted


_ABSENT = object()


def _shaped_within(answers: ReportedAnswers, place: str, name: str, value: Any) -> Any:
    return shaped(answers, f"{place}.{name}{'[]' if isinstance(value, list) else ''}", value)


def _shaped_value(fields: Shapes, place: str, name: str, value: Any, object_id: str) -> Any:
    counts = fields.get(name, {"absent": 1})
    place_in_order = zlib.crc32(f"{object_id} {name}".encode()) % max(1, sum(counts.values()))
    value = _without_object(value, counts)
    own = sandbox_shape(value)
    if own in counts and not (place.startswith(_KEPT_IN) and _falls_on(counts, _MISSING, place_in_order)):
        return value
    poor = {shape: count for shape, count in counts.items() if shape in _EXAMPLES or shape == "absent"}
    if value is None and set(poor) != {"absent"}:
        return value
    if own in counts:
        poor = {shape: count for shape, count in counts.items() if shape in _MISSING}
    if own == "date-time" and "date-time without zone" in counts:
        return re.sub(r"Z$", "", value)
    if not poor:
        return value
    shape = _counted_shape(poor, place_in_order % sum(poor.values()))
    return _ABSENT if shape == "absent" else _EXAMPLES[shape]


def _without_object(value: Any, counts: Mapping[str, int]) -> Any:
    """Return the code or id in an object where the report has one of these in place of objects."""
    if not isinstance(value, dict) or sandbox_shape(value) in counts:
        return value
    return next((value[name] for shape, name in _OF_OBJECT if shape in counts and value.get(name)), value)


def _falls_on(counts: Mapping[str, int], shapes: tuple[str, ...], number: int) -> bool:
    return _counted_shape(counts, number) in shapes


def _counted_shape(counts: Mapping[str, int], number: int) -> str:
    """Return the shape at a place in a row of all counted values."""
    for shape, count in sorted(counts.items()):
        number -= count
        if number < 0:
            return shape
    return next(iter(counts))


def sandbox_shape(value: Any) -> str:
    """Return the word of a report for a JSON value of the sandbox."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return _sandbox_text_shape(value)
        case list():
            return "list" if value else "empty list"
    return "object" if value else "empty object"


def _sandbox_text_shape(text: str) -> str:
    if not text:
        return "empty text"
    if text.startswith(("https://", "http://")):
        return "url"
    for read, shape in ((UUID, "uuid"), (datetime.fromisoformat, "date-time")):
        try:
            read(text)
        except ValueError:
            continue
        return shape
    return "text"
