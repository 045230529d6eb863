"""Erased recordings and bots of a day that are stored again, or whose erasure was interrupted."""

from datetime import date

from recall_pipeline.audit import AUDIT, ERASED_COLUMNS, ErasedIds
from recall_pipeline.erasure.files import sizes_by_recording
from recall_pipeline.erasure.personal_rows import personal_bots, personal_recordings
from recall_pipeline.storage import Archive


def returned_on(archive: Archive, day: date) -> ErasedIds:
    """Return the ids in the day's audit that have files or personal columns, and those whose erasure was interrupted.

    Reads one file if the day has no audit. Takes no lock. Raises StorageError.
    """
    audit = AUDIT.read_columns(archive, day, *ERASED_COLUMNS, "finished_at")
    erased = ErasedIds.of_columns(ids for *ids, _ in audit)
    if not (erased.recordings or erased.bots):
        return erased
    interrupted = ErasedIds.of_columns(ids for *ids, finished_at in audit if finished_at is None)
    stored = personal_recordings(archive, day) | sizes_by_recording(archive, day).keys()
    return ErasedIds(
        recordings=interrupted.recordings | (erased.recordings & stored),
        bots=interrupted.bots | (erased.bots & personal_bots(archive, day)),
    )
