"""Erased recordings and bots of a day that are stored again, or whose erasure was interrupted."""

from datetime import date

from recall_pipeline.audit import AUDIT, FORGOTTEN, ErasedIds
from recall_pipeline.erasure.day_tables import DayTables
from recall_pipeline.erasure.files import sizes_by_recording
from recall_pipeline.storage import Archive


def returned_on(archive: Archive, day: date) -> ErasedIds:
    """Return the ids in the day's audit that have files or personal columns, and those whose erasure was interrupted.

    Reads one file if the day has no audit. Takes no lock. Raises StorageError.
    """
    erased = [row for row in AUDIT.read(archive, day) or [] if row.action == FORGOTTEN]
    if not erased:
        return ErasedIds(frozenset(), frozenset())
    tables = DayTables.read(archive, day)
    recordings = tables.personal_recordings() | sizes_by_recording(archive, day).keys()
    bots = tables.personal_bots()
    unfinished = [row for row in erased if row.finished_at is None]
    recordings |= {row.recording_id for row in unfinished if row.recording_id}
    bots |= {row.bot_id for row in unfinished if row.bot_id and not row.recording_id}
    return ErasedIds(
        recordings=frozenset(row.recording_id for row in erased if row.recording_id) & recordings,
        bots=frozenset(row.bot_id for row in erased if row.bot_id and not row.recording_id) & bots,
    )
