"""Which recordings and bots of a day have personal data: compared by column, since most old rows are redacted.

Only a row that differs from a redacted one becomes a Python object: of a day that was erased, no row does.
"""

import functools
from datetime import date
from typing import TYPE_CHECKING, Any

from recall_pipeline.catalog import CATALOG, WAVEFORMS
from recall_pipeline.discovery import BOTS, RECORDINGS
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.storage import Archive, Table

if TYPE_CHECKING:
    import pyarrow as pa

_KEPT: dict[Table[Any], frozenset[str]] = {
    BOTS: frozenset({"bot_id"}),
    RECORDINGS: frozenset({"recording_id", "bot_id", "created_at"}),
    MIXED_AUDIO: frozenset({"recording_id", "audio_id"}),
    CATALOG: frozenset({"recording_id", "audio_id", "bot_id", "created_at", "cataloged_at"}),
}
"""The columns whose values a redacted row keeps."""


def personal_recordings(archive: Archive, day: date) -> set[str]:
    """Return the ids of recordings with a row that is not redacted, or with a waveform. Raises StorageError."""
    drawn = {name for (name,) in WAVEFORMS.read_columns(archive, day, "recording_id")}
    return drawn.union(
        *(_personal_ids(archive, day, table, "recording_id") for table in (RECORDINGS, MIXED_AUDIO, CATALOG))
    )


def personal_bots(archive: Archive, day: date) -> set[str]:
    """Return the ids of bots with a row that is not redacted. Raises StorageError."""
    return _personal_ids(archive, day, BOTS, "bot_id")


def _personal_ids(archive: Archive, day: date, table: Table[Any], name: str) -> set[str]:
    import pyarrow.compute as pc

    file = table.file(archive, day)
    if file is None or not len(file.content):
        return set()
    content = table.upgraded(archive, table.key(day), file.content)
    redacted = table.rows_in(archive, day, content.slice(0, 1))[0].redacted()
    compared = sorted(table.columns.keys() - _KEPT[table])
    differing: list[Any] = [_differ(content.column(each), getattr(redacted, each)) for each in compared]
    content = content.filter(functools.reduce(pc.or_, differing))
    return {getattr(row, name) for row in table.rows_in(archive, day, content) if row != row.redacted()}


def _differ(column: "pa.ChunkedArray[Any]", redacted: Any) -> Any:
    """Return for each value whether it may differ from that of a redacted row; lists: whether it has items."""
    import pyarrow.compute as pc

    if redacted is None:
        return column.is_valid()
    is_list = redacted == []
    values: Any = pc.list_value_length(column) if is_list else column
    value: Any = 0 if is_list else redacted
    return pc.fill_null(pc.not_equal(values, value), not is_list)
