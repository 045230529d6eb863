"""Shapes of JSON values: a word for each value, and how often each was seen in each field."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from recall_pipeline.recall_api import CODES, OBJECTS, Known, codes_of, objects_within

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_UUID_LENGTH = 36
_LONGEST_MOMENT = 40  # characters
Counts = Counter[str]


@dataclass
class ObjectShape:
    """What was seen in the objects of one place: for each known field, how many values had each shape.

    A field that is missing in an object counts as `absent`. Unknown names are counted, with their shapes.
    """

    objects: int = 0
    fields: dict[str, Counts] = field(default_factory=dict)
    unknown_names: int = 0
    unknown_shapes: Counts = field(default_factory=Counter)


def json_shape(value: Any) -> str:
    """Return the word for a JSON value."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return _text_shape(value)
        case list():
            return "list" if value else "empty list"
        case dict():
            return "object" if value else "empty object"
    return "other"


def _text_shape(text: str) -> str:
    if not text:
        return "empty text"
    if uuid_of(text):
        return "uuid"
    if text.startswith(("https://", "http://")):
        return "url"
    if _DAY.fullmatch(text) and _iso_day(text):
        return "date"
    if parsed := _iso_parsed(text):
        return "date-time" if parsed.tzinfo else "date-time without zone"
    return "text"


def uuid_of(value: Any) -> str | None:
    """Return a UUID in canonical form; None if the value is not one in the usual form of 36 characters."""
    if not isinstance(value, str) or len(value) != _UUID_LENGTH:
        return None
    try:
        return str(UUID(value))
    except ValueError:
        return None


def moment_of(value: Any) -> datetime | None:
    """Return a date-time in UTC; None if the value is not one of the years 1971 to 9998."""
    parsed = _iso_parsed(value) if isinstance(value, str) else None
    if parsed is None or not 1971 <= parsed.year <= 9998:
        return None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)


def _iso_parsed(text: str) -> datetime | None:
    if len(text) > _LONGEST_MOMENT:
        return None
    try:
        return datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None


def _iso_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


class Shapes:
    """Collects the shapes of all objects that were answered, by their place such as `bot.recordings[]`."""

    def __init__(self) -> None:
        self.places: dict[str, ObjectShape] = {}
        self.codes: dict[str, Counts] = {}
        self._unknown_names: dict[str, set[str]] = {}

    def add(self, kind: str, rows: Iterable[Any]) -> None:
        """Add rows of a list or object endpoint; what is not an object is left out."""
        for row in rows:
            if isinstance(row, dict):
                self._add_object(kind, OBJECTS[kind], row)
                self._add_codes(kind, row)

    def _add_object(self, place: str, known: Known, value: dict[str, Any]) -> None:
        shape = self.places.setdefault(place, ObjectShape())
        shape.objects += 1
        for name, item in value.items():
            if name in known:
                shape.fields.setdefault(name, Counter())[json_shape(item)] += 1
                for within, inner in objects_within(place, name, item):
                    if known[name] is not None:
                        self._add_object(within, known[name], inner)
            else:
                shape.unknown_shapes[json_shape(item)] += 1
                self._unknown_names.setdefault(place, set()).add(name)

    def _add_codes(self, kind: str, row: dict[str, Any]) -> None:
        for vocabulary, code in codes_of(kind, row):
            if isinstance(code, str):
                counts = self.codes.setdefault(vocabulary, Counter())
                counts[code if code in CODES[vocabulary] else "unknown"] += 1

    def finished(self) -> dict[str, ObjectShape]:
        """Return the shapes by place, with absent fields and unknown names counted."""
        for place, shape in self.places.items():
            shape.unknown_names = len(self._unknown_names.get(place, ()))
            for counts in shape.fields.values():
                if missing := shape.objects - counts.total():
                    counts["absent"] = missing
        return dict(sorted(self.places.items()))
