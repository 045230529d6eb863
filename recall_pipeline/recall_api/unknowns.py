"""What a listed row has that this version does not know: names of fields and codes, and types, never a value."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from recall_pipeline.recall_api.page_contract import is_uuid, json_type
from recall_pipeline.recall_api.vocabulary import CODES, OBJECTS, Known, codes_of, objects_within

_PLAIN_WORD = re.compile(r"[a-z][a-z0-9_]{0,40}")
_UNNAMED = "(unusual name)"
_TEXTS = dict.fromkeys(
    ("id", "created_at", "started_at", "completed_at", "expires_at", "join_at", "bot_name", "format", "download_url"),
    frozenset({"text"}),
)
_LISTS = dict.fromkeys(("status_changes", "recordings"), frozenset({"list"}))
_OBJECTS = dict.fromkeys(
    ("metadata", "recording_config", "status", "media_shortcuts", "bot", "recording", "data"), frozenset({"object"})
)
_TYPES: Mapping[str, frozenset[str]] = {**_TEXTS, **_LISTS, **_OBJECTS, "meeting_url": frozenset({"object", "text"})}
"""JSON types of the fields that are read; each may be null or absent too."""
_SPECIFIC: Mapping[tuple[str, str], frozenset[str]] = {("bot", "status"): frozenset({"text", "object"})}


def unknown_in(kind: str, row: Mapping[str, Any]) -> frozenset[str]:
    """Return the unknown fields, codes and types of a row, as `field bot.x`, `code bot.x` or `type bot.x number`."""
    return _one_object(
        frozenset(
            (
                *_unknown_fields(kind, OBJECTS[kind], row),
                *_unknown_codes(kind, row),
                *_other_types(kind, row),
                *_artifact_without_recording(kind, row),
            )
        )
    )


def _unknown_fields(place: str, known: Known, value: Mapping[str, Any]) -> Iterator[str]:
    for name, item in value.items():
        if name not in known:
            yield f"field {place}.{_word(name)}"
        elif known[name] is not None:
            for within, inner in objects_within(place, name, item):
                yield from _unknown_fields(within, known[name], inner)


def _unknown_codes(kind: str, row: Mapping[str, Any]) -> Iterator[str]:
    for vocabulary, code in codes_of(kind, dict(row)):
        if isinstance(code, str) and code not in CODES[vocabulary]:
            yield f"code {vocabulary}.{_word(code)}"


def _other_types(kind: str, row: Mapping[str, Any]) -> Iterator[str]:
    for name, expected in _TYPES.items():
        value = row.get(name)
        if value is not None and json_type(value) not in _SPECIFIC.get((kind, name), expected):
            yield f"type {kind}.{name} {json_type(value)}"


def _artifact_without_recording(kind: str, row: Mapping[str, Any]) -> Iterator[str]:
    """Yield that an artifact does not name its recording: it belongs to none, so it is not archived."""
    recording = row.get("recording")
    if kind == "audio_mixed" and not is_uuid(recording.get("id") if isinstance(recording, Mapping) else recording):
        yield "type audio_mixed.recording without an id"


def _word(name: str) -> str:
    return name if _PLAIN_WORD.fullmatch(name) else _UNNAMED


@lru_cache(maxsize=1024)
def _one_object(names: frozenset[str]) -> frozenset[str]:
    """Return one shared object for equal sets: often all rows have the same one."""
    return names
