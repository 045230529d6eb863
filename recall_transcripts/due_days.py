"""Due days: those on which the transcripts do not match the catalog."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, TypeAlias

from recall_pipeline.downstream import CATALOG, Archive, Outcome, ScannedDay, Table, stream_tables
from recall_transcripts.rows import TRANSCRIPTS
from recall_transcripts.table import is_kept

_AudioHash: TypeAlias = tuple[str | None, str | None]
"""Id of an MP3, and SHA-256 of its normalized file."""
_Day: TypeAlias = Mapping[_AudioHash, str]
"""The outcome of each MP3 of a day, or an empty text where the table has none."""

_COLUMNS: Mapping[Table[Any], Sequence[str]] = {
    CATALOG: ("audio_id", "audio_sha256", "outcome"),
    TRANSCRIPTS: ("audio_id", "audio_sha256"),
}


def days_to_transcribe(archive: Archive, first: date, last: date) -> list[date]:
    """Return the days on which a ready recording has no transcript of its current audio, or an erased one has any.

    `first` and `last` are the days that have a partition, both included.

    A day of which a table cannot be read is due too: its run fails with the reason. The model is not considered: after
    a change of model, backfill the days to transcribe again. Raises StorageError if the archive does not answer.
    """
    stored: dict[str, list[date]] = {table.name: archive.days(table.name) for table in _COLUMNS}
    days = sorted({day for of_table in stored.values() for day in of_table if first <= day <= last})
    read = stream_tables(archive, days, _COLUMNS, stored)
    return [day for day, tables in read if _is_due(*(_audio_of(tables.get(table.name)) for table in _COLUMNS))]


def _is_due(cataloged: _Day | None, stored: _Day | None) -> bool:
    if cataloged is None or stored is None:
        return True
    ready = {audio for audio, outcome in cataloged.items() if outcome == Outcome.READY}
    kept = {audio_id for (audio_id, _), outcome in cataloged.items() if is_kept(outcome)}
    return not ready <= stored.keys() or not {audio_id for audio_id, _ in stored} <= kept


def _audio_of(scanned: ScannedDay | None) -> _Day | None:
    """Return the rows of a day's table; None for a table that cannot be read."""
    if scanned is None or scanned.stored is None:
        return None if scanned and scanned.error else {}
    audio_ids, hashes, *others = scanned.stored.values.values()
    outcomes = others[0] if others else [""] * len(audio_ids)
    return dict(zip(zip(audio_ids, hashes, strict=True), outcomes, strict=True))
