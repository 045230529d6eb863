"""Columns that did not exist when a file was written, as far as other columns and tables state their values."""

from typing import TYPE_CHECKING, Any

from recall_pipeline.catalog import CATALOG, Outcome
from recall_pipeline.discovery import RECORDINGS
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.migration.table_files import DayTableFile
from recall_pipeline.storage import Archive

if TYPE_CHECKING:
    import pyarrow as pa


def with_derived_columns(archive: Archive, file: DayTableFile, content: "pa.Table") -> "pa.Table":
    """Return the content of an older file with the values that can be derived; others stay null."""
    if file.table is RECORDINGS:
        return _with_values(content, "has_mp3", _has_mp3(archive, file, content))
    if file.table is CATALOG:
        return _with_values(content, "findings", _findings(content))
    return content


def _has_mp3(archive: Archive, file: DayTableFile, content: "pa.Table") -> list[bool | None]:
    """A recording with a row in `mixed_audio` had an MP3. Redacted rows, which have no status, stay as they are."""
    with_mp3 = {recording_id for (recording_id,) in MIXED_AUDIO.read_columns(archive, file.day, "recording_id")}
    return [
        True if name in with_mp3 and status is not None else before
        for name, status, before in _zipped(content, "recording_id", "status_code", "has_mp3")
    ]


def _findings(content: "pa.Table") -> list[list[str] | None]:
    """A forgotten recording has no findings."""
    return [
        [] if outcome == Outcome.FORGOTTEN else before for outcome, before in _zipped(content, "outcome", "findings")
    ]


def _zipped(content: "pa.Table", *names: str) -> list[tuple[Any, ...]]:
    return list(zip(*(content.column(name).to_pylist() for name in names), strict=True))


def _with_values(content: "pa.Table", name: str, values: list[Any]) -> "pa.Table":
    import pyarrow as pa

    number = content.schema.get_field_index(name)
    declared = content.schema.field(number)
    return content.set_column(number, declared, pa.array(values, declared.type))
