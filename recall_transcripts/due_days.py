"""Due days: those on which the transcripts do not match the catalog."""

from collections import defaultdict
from datetime import date
from typing import Any

from recall_pipeline.downstream import CATALOG, Archive, Outcome, Table
from recall_transcripts.rows import TRANSCRIPTS
from recall_transcripts.table import is_kept


def days_to_transcribe(archive: Archive) -> list[date]:
    """Return the days on which a ready recording has no transcript of its current audio, or an erased one has any.

    The model is not considered: after a change of model, backfill the days to transcribe again. Raises StorageError.
    """
    cataloged = _by_day(archive, CATALOG, "outcome")
    stored = _by_day(archive, TRANSCRIPTS)
    return [day for day in sorted(cataloged.keys() | stored.keys()) if _is_due(cataloged[day], stored[day])]


def _is_due(cataloged: list[dict[str, Any]], stored: list[dict[str, Any]]) -> bool:
    transcribed = {(row["audio_id"], row["audio_sha256"]) for row in stored}
    ready = {(row["audio_id"], row["audio_sha256"]) for row in cataloged if row["outcome"] == Outcome.READY}
    kept = {row["audio_id"] for row in cataloged if is_kept(row["outcome"])}
    return not ready <= transcribed or not {audio_id for audio_id, _ in transcribed} <= kept


def _by_day(archive: Archive, table: Table[Any], *columns: str) -> defaultdict[date, list[dict[str, Any]]]:
    rows_by_day: defaultdict[date, list[dict[str, Any]]] = defaultdict(list)
    for row in table.read_days(archive, columns=["day", "audio_id", "audio_sha256", *columns]).to_pylist():
        rows_by_day[row["day"]].append(row)
    return rows_by_day
