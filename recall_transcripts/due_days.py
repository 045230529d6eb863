"""Which days want a run: those on which the transcripts are not what the catalog asks for."""

from collections import defaultdict
from datetime import date
from typing import Any

from recall_pipeline.downstream import CATALOG, Archive, Outcome, Table
from recall_transcripts.rows import TRANSCRIPTS
from recall_transcripts.table import is_kept


def days_to_transcribe(archive: Archive) -> list[date]:
    """Return the days on which a ready recording has no transcript of its present bytes, or a forgotten one has any.

    Which model made them is not looked at: with another one, backfill the days that are worth it.
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
    found: defaultdict[date, list[dict[str, Any]]] = defaultdict(list)
    for row in table.read_days(archive, columns=["day", "audio_id", "audio_sha256", *columns]).to_pylist():
        found[row["day"]].append(row)
    return found
