"""Due days: those on which the transcripts do not match the catalog."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, TypeAlias

from recall_pipeline.downstream import CATALOG, Archive, Outcome, Table, scan_days
from recall_transcripts.rows import TRANSCRIPTS
from recall_transcripts.table import is_kept

_AudioHash: TypeAlias = tuple[str | None, str | None]
"""Id of an MP3, and SHA-256 of its normalized file."""
_Day: TypeAlias = Mapping[_AudioHash, str]
"""The outcome of each MP3 of a day, or an empty text where the table has none."""


def days_to_transcribe(archive: Archive, first: date, last: date) -> list[date]:
    """Return the days on which a ready recording has no transcript of its current audio, or an erased one has any.

    `first` and `last` are the days that have a partition, both included.

    A day of which a table cannot be read is due too: its run fails with the reason. The model is not considered: after
    a change of model, backfill the days to transcribe again. Raises StorageError if the archive does not answer.
    """
    cataloged, stored = _by_day(archive, CATALOG, "outcome"), _by_day(archive, TRANSCRIPTS)
    days = sorted(day for day in cataloged.keys() | stored.keys() if first <= day <= last)
    return [day for day in days if _is_due(cataloged.get(day, {}), stored.get(day, {}))]


def _is_due(cataloged: _Day | None, stored: _Day | None) -> bool:
    if cataloged is None or stored is None:
        return True
    ready = {audio for audio, outcome in cataloged.items() if outcome == Outcome.READY}
    kept = {audio_id for (audio_id, _), outcome in cataloged.items() if is_kept(outcome)}
    return not ready <= stored.keys() or not {audio_id for audio_id, _ in stored} <= kept


def _by_day(archive: Archive, table: Table[Any], *names: str) -> dict[date, _Day | None]:
    """Return the rows of each day; None for a day whose table cannot be read."""
    return dict(_days(archive, table, *names))


def _days(archive: Archive, table: Table[Any], *names: str) -> Iterator[tuple[date, _Day | None]]:
    scan = scan_days(archive, table, archive.days(table.name), "audio_id", "audio_sha256", *names)
    for day, scanned in scan.items():
        if scanned.error:
            yield day, None
        elif scanned.stored:
            audio_ids, hashes, *others = scanned.stored.values.values()
            outcomes = others[0] if others else [""] * len(audio_ids)
            yield day, dict(zip(zip(audio_ids, hashes, strict=True), outcomes, strict=True))
