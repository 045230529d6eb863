"""Stored data of erased recordings and bots, as problems."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from recall_pipeline.audit import ErasedIds
from recall_pipeline.catalog import CatalogRow
from recall_pipeline.discovery import BotRow, RecordingRow
from recall_pipeline.download import MixedAudioRow
from recall_pipeline.errors import StorageError
from recall_pipeline.migration import TRANSCRIPT_KEYS
from recall_pipeline.storage import Archive
from recall_pipeline.verification.codes import Code
from recall_pipeline.verification.problems import Problem, table_problem

_NEXT_ACTION = "run verify --repair or forget it again"
_NEXT_ACTION_FOR_TRANSCRIPT = "materialize its day of `transcripts`"


def erased_recording(day: date, recording_id: str, stored: str, next_action: str = _NEXT_ACTION) -> Problem:
    """Return the problem that data of an erased recording is stored; `stored` names the data."""
    message = f"is erased, but {stored} is still there: {next_action}"
    return Problem(day, Code.ERASED_DATA_STORED, f"recording {recording_id}", message, recording_id)


def personal_rows(
    day: date,
    erased: ErasedIds,
    bots: Iterable[BotRow],
    tables: Mapping[str, Iterable[RecordingRow | MixedAudioRow | CatalogRow]],
) -> Iterator[Problem]:
    """Yield a problem for each erased recording and bot with a row that is not redacted."""
    for name, rows in tables.items():
        personal = {row.recording_id for row in rows if row != row.redacted()}
        for recording_id in sorted(personal & erased.recordings):
            yield erased_recording(day, recording_id, f"its row in {name}")
    for bot in bots:
        if bot.bot_id in erased.bots and bot != bot.redacted():
            yield Problem(
                day,
                Code.ERASED_DATA_STORED,
                f"bot {bot.bot_id}",
                f"is erased, but its row in bots is still there: {_NEXT_ACTION}",
            )


def kept_transcripts(archive: Archive, day: date, erased: ErasedIds) -> Iterator[Problem]:
    """Yield a problem for each erased recording with a transcript, or one if the transcripts cannot be read."""
    try:
        transcribed = {recording_id for (recording_id,) in TRANSCRIPT_KEYS.read_columns(archive, day, "recording_id")}
    except StorageError as error:
        yield table_problem(day, TRANSCRIPT_KEYS.key(day), error)
        return
    for recording_id in sorted(transcribed & erased.recordings):
        yield erased_recording(day, recording_id, "its transcript", _NEXT_ACTION_FOR_TRANSCRIPT)
