"""Personal rows are found by column: exactly those that differ from their redacted form, whatever column differs."""

import dataclasses
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recall_pipeline.catalog import CATALOG, CatalogRow
from recall_pipeline.discovery import BOTS, RECORDINGS, BotRow, RecordingRow
from recall_pipeline.download import MIXED_AUDIO, MixedAudioRow
from recall_pipeline.erasure.personal_rows import personal_bots, personal_recordings
from recall_pipeline.storage import Archive, Table

DAY, NOON = date(2026, 3, 2), datetime(2026, 3, 2, 12, tzinfo=UTC)
VALUES: dict[str, Any] = {
    "string": "a text", "int64": 7, "int8": 7, "double": 0.5, "timestamp[us, tz=UTC]": NOON, "date32[day]": DAY,
}  # fmt: skip
ROWS: dict[Table[Any], Any] = {
    BOTS: BotRow("b"),
    RECORDINGS: RecordingRow("r", NOON),
    MIXED_AUDIO: MixedAudioRow("r", "a"),
    CATALOG: CatalogRow("r", "a", outcome="ready", created_at=NOON, cataloged_at=NOON),
}


def other_values(kind: str) -> list[Any]:
    if kind == "bool":
        return [True, False, None]
    return [["a"], None] if kind.startswith("list") else [VALUES.get(kind)]


@pytest.mark.parametrize("table", ROWS, ids=lambda table: table.name)
def test_a_row_is_personal_if_one_column_differs_from_its_redacted_form(table: Table[Any], archive: Archive) -> None:
    name = "bot_id" if table is BOTS else "recording_id"
    redacted = ROWS[table].redacted()
    changes = [
        (column, value)
        for column in table.columns.keys() - {name}
        for value in other_values(str(table.schema().field(column).type))
    ]
    changed = (dataclasses.replace(redacted, **{name: f"{column} {value}", column: value}) for column, value in changes)
    content = [redacted, *(row for row in changed if storable(row))]
    assert len(content) > len(table.columns) / 2
    table.write(archive, DAY, content)
    found = personal_bots(archive, DAY) if table is BOTS else personal_recordings(archive, DAY)
    assert found == {getattr(row, name) for row in content if row != row.redacted()}


def storable(row: Any) -> bool:
    """Whether the row has a value in each column that needs one."""
    required = {field.name for field in dataclasses.fields(row) if "None" not in str(field.type)}
    return all(getattr(row, name) is not None for name in required)


def test_an_older_file_without_a_column_is_compared_with_its_default(archive: Archive) -> None:
    table = CATALOG.content([ROWS[CATALOG].redacted(), dataclasses.replace(ROWS[CATALOG], recording_id="kept")])
    older: pa.Table = table.drop_columns(["findings"])
    with archive.staged_file(suffix=".parquet") as staged:
        pq.write_table(older, staged)
        archive.publish(staged, CATALOG.key(DAY))
    assert personal_recordings(archive, DAY) == {"kept"}
