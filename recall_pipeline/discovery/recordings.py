"""Which recordings belong to a day: everything listed, embedded in a bot, or known from before.

Completeness is defined by recordings (docs/design/adr/0004-completeness-by-recordings.md): a row, once there, stays.
"""

import dataclasses
import json
from dataclasses import dataclass
from datetime import date, datetime

from recall_pipeline.audit import erased_on
from recall_pipeline.days import ONE_DAY
from recall_pipeline.discovery.bots import BotRow, complete_bots, known_bots
from recall_pipeline.errors import RecallError
from recall_pipeline.recall_api import DELETED, Listing, RecallClient, Recording, capture_errors, lookup_many
from recall_pipeline.storage import Archive, Table, column


@dataclass(frozen=True, slots=True)
class RecordingRow:
    """A recording, as it was last seen, with what is known of its bot."""

    recording_id: str = column("Recall's id of the recording")
    created_at: datetime = column("Its start, UTC; its day is the partition")
    started_at: datetime | None = column("When recording started, UTC")
    completed_at: datetime | None = column("When recording ended, UTC")
    expires_at: datetime | None = column("When Recall will remove the media, UTC")
    status_code: str | None = column("Recall's status code; an open set; `deleted` also for what is gone")
    status_sub_code: str | None = column("Recall's status sub-code")
    status_updated_at: datetime | None = column("When the status last changed, UTC")
    is_gone: bool = column("Whether the API no longer knows the recording", default=False)
    bot_id: str | None = column("Recall's id of the bot; null for the desktop SDK")
    bot_name: str | None = column("Name the bot joined under")
    platform: str | None = column("Meeting platform, Recall's code")
    meeting_id: str | None = column("The platform's id of the meeting; never a password")
    bot_media_expired: bool = column("Whether Recall has removed the bot's media", default=False)
    mp3_requested: bool | None = column("Whether a mixed-audio MP3 was asked for; null: not known")
    metadata: str | None = column("Recall's metadata, JSON")
    other_fields: str | None = column("Fields of the API that this project does not know, JSON without secrets")

    @classmethod
    def of(cls, recording: Recording, bot: BotRow | None) -> "RecordingRow":
        """Make the row of a recording as the API shows it."""
        return cls(
            recording_id=recording.id,
            created_at=recording.created_at,
            started_at=recording.started_at,
            completed_at=recording.completed_at,
            expires_at=recording.expires_at,
            status_code=recording.status.code,
            status_sub_code=recording.status.sub_code,
            status_updated_at=recording.status.updated_at,
            bot_id=recording.bot.id if recording.bot else (bot.bot_id if bot else None),
            bot_name=bot.bot_name if bot else None,
            platform=bot.platform if bot else None,
            meeting_id=bot.meeting_id if bot else None,
            bot_media_expired=bot.media_expired if bot else False,
            mp3_requested=bot.mp3_requested if bot else None,
            metadata=json.dumps(recording.metadata, sort_keys=True, ensure_ascii=False),
            other_fields=recording.other_fields,
        )

    def merged_with(self, before: "RecordingRow | None") -> "RecordingRow":
        """Return this row with what it no longer says taken from the row before."""
        if before is None:
            return self
        kept = {name: getattr(before, name) for name in _REMEMBERED if getattr(self, name) is None}
        media_expired = self.bot_media_expired or before.bot_media_expired  # it never comes back
        return dataclasses.replace(self, bot_media_expired=media_expired, **kept)

    def redacted(self) -> "RecordingRow":
        """Return what may be kept of a recording that was forgotten: ids, and the day it belongs to."""
        return RecordingRow(recording_id=self.recording_id, created_at=self.created_at, bot_id=self.bot_id)

    def marked_deleted(self) -> "RecordingRow":
        """Return this row for a recording that the API no longer knows."""
        return dataclasses.replace(self, status_code=DELETED, is_gone=True)


_REMEMBERED = (
    *("started_at", "completed_at", "expires_at"),
    *("bot_id", "bot_name", "platform", "meeting_id", "mp3_requested"),
)
RECORDINGS = Table("recordings", RecordingRow)


async def discover_recordings(
    client: RecallClient, listing: Listing, archive: Archive, day: date
) -> list[RecordingRow]:
    """Return every recording of `day`, known or new; raise RecallError when the API cannot be asked."""
    await complete_bots(client, listing, archive, day)
    known = {row.recording_id: row for row in RECORDINGS.read(archive, day) or []}
    forgotten = erased_on(archive, day).recordings
    embedded = _embedded_rows(listing, day)
    bots = _bots_by_id(listing, archive, day)
    rows = {}
    for recording in listing.recordings_of(day):
        bot_id = recording.bot.id if recording.bot else _bot_id_in(embedded.get(recording.id))
        rows[recording.id] = RecordingRow.of(recording, bots.get(bot_id or ""))
    unlisted = {**known, **embedded}.keys() - rows.keys()
    for recording_id in sorted(unlisted):
        rows[recording_id] = embedded.get(recording_id) or known[recording_id]
    asked_for = sorted(unlisted - forgotten)
    in_doubt = [recording_id for recording_id in asked_for if rows[recording_id].status_code != DELETED]
    for recording_id, answer in (await lookup_many(capture_errors(client.recording), in_doubt)).items():
        rows[recording_id] = _answered(rows[recording_id], answer, bots)
        if isinstance(answer, Recording):
            listing.recordings[recording_id] = answer
    rows = {recording_id: row.merged_with(known.get(recording_id)) for recording_id, row in rows.items()}
    rows |= {recording_id: rows[recording_id].redacted() for recording_id in forgotten & rows.keys()}
    return sorted(rows.values(), key=_in_order)


def _answered(row: RecordingRow, answer: Recording | RecallError | None, bots: dict[str, BotRow]) -> RecordingRow:
    if answer is None:
        return row.marked_deleted()
    if isinstance(answer, RecallError):
        return row
    bot_id = answer.bot.id if answer.bot else row.bot_id
    return RecordingRow.of(answer, bots.get(bot_id or ""))


def _bot_id_in(row: RecordingRow | None) -> str | None:
    return row.bot_id if row else None


def _embedded_rows(listing: Listing, day: date) -> dict[str, RecordingRow]:
    embedded = listing.embedded_in_bots(day).items()
    return {recording_id: RecordingRow.of(copy, BotRow.of(bot)) for recording_id, (copy, bot) in embedded}


def _bots_by_id(listing: Listing, archive: Archive, day: date) -> dict[str, BotRow]:
    listed = {bot.id: BotRow.of(bot) for bot in listing.bots.values()}
    return {**known_bots(archive, day - ONE_DAY, day), **listed}


def _in_order(row: RecordingRow) -> tuple[datetime, str]:
    return row.created_at, row.recording_id
