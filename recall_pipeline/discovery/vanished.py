"""Many known recordings that vanish at once: a key of another workspace looks the same as a deletion of everything.

Nothing tells them apart, because no answer of Recall.ai names its workspace. So the sync of the day stops before it
writes anything, until the lists show the recordings again or the operator accepts that they are gone.
"""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import TYPE_CHECKING

from recall_pipeline.audit import AUDIT, RELEASED, erased_in
from recall_pipeline.discovery.recordings import RECORDINGS, RecordingRow
from recall_pipeline.errors import RecordingsVanished
from recall_pipeline.recall_api import DELETED, Bot
from recall_pipeline.storage import ArchiveDay

if TYPE_CHECKING:
    from recall_pipeline.recall_api import Upstream

MOST_AT_ONCE = 9
"""More recordings of a day than these do not vanish at once without an explanation."""
DeletionEvents = Callable[[Collection[str]], Collection[str]]
"""Returns those of some recordings whose deletion a webhook event reported."""


async def refuse_vanished(day: ArchiveDay, upstream: "Upstream", deletion_events: DeletionEvents) -> None:
    """Raise RecordingsVanished if ten or more known recordings of the day answer 404 at once, unexplained.

    `expires_at`, the bot's `media_expired`, an own release and `deletion_events` explain that a recording is gone.
    Lookups are made only if so many recordings are unlisted. Raises RecallError and StorageError.
    """
    erased = erased_in(day).recordings
    released = {row.recording_id for row in day.rows(AUDIT) if row.action == RELEASED}
    suspects = {
        row.recording_id
        for row in day.rows(RECORDINGS)
        if _was_there(row, upstream.listing.listed_at)
        and row.recording_id not in upstream.recordings
        and not _is_expired(upstream.bots.get(row.bot_id or ""))
    }
    suspects -= erased | released
    if len(suspects) > MOST_AT_ONCE:
        answers = await upstream.look_up_recordings(suspects)
        vanished = {recording_id for recording_id, answer in answers.items() if answer is None}
        vanished -= set(deletion_events(vanished)) if len(vanished) > MOST_AT_ONCE else set()
        if len(vanished) > MOST_AT_ONCE:
            raise _error(day, len(vanished))


def _is_expired(bot: Bot | None) -> bool:
    return bot is not None and bot.media_expired


def _was_there(row: RecordingRow, now: datetime) -> bool:
    """Whether Recall still had the recording at the last sync, and should have it now."""
    is_past = row.expires_at is not None and row.expires_at < now
    return not (row.is_gone or row.status_code == DELETED or row.bot_media_expired or is_past)


def _error(day: ArchiveDay, count: int) -> RecordingsVanished:
    return RecordingsVanished(
        f"{count} known recordings of {day.day} are gone at Recall.ai at once, and nothing explains it; nothing was "
        "changed: check that RECALL_API_KEY is of the workspace of this archive; if they were deleted, run "
        f"recall-pipeline sync --from {day.day} --to {day.day} --accept-vanished"
    )
