"""The table `recordings`: everything listed for a day, embedded in a bot, or known before.

Completeness is defined by recordings (docs/design/adr/0004-completeness-by-recordings.md): a row, once there, stays.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from recall_pipeline.audit import erased_in
from recall_pipeline.days import ONE_DAY
from recall_pipeline.discovery.bots import BotRow, filed_bots, look_up_unlisted_bots, metadata_json
from recall_pipeline.discovery.expired_bots import expired_bots_fact
from recall_pipeline.discovery.late_mp3s import late_mp3s_fact, recordings_with_late_mp3
from recall_pipeline.discovery.listing_times import listing_facts
from recall_pipeline.discovery.unknowns import unknowns_of
from recall_pipeline.errors import RecallError
from recall_pipeline.recall_api import DELETED, IN_PROGRESS, Meeting, Recording, Status
from recall_pipeline.storage import ArchiveDay, Table, column

if TYPE_CHECKING:
    from recall_pipeline.recall_api import Upstream


@dataclass(frozen=True, slots=True)
class RecordingRow:
    """A recording at the last sync, with the columns of its bot."""

    recording_id: str = column("Recall's id of the recording")
    created_at: datetime = column("Its start, UTC; its day is the partition")
    started_at: datetime | None = column("When recording started, UTC")
    completed_at: datetime | None = column("When recording ended, UTC")
    expires_at: datetime | None = column("When Recall will remove the media, UTC")
    status_code: str | None = column("Recall's status code; an open set; `deleted` also if the API answers 404")
    status_sub_code: str | None = column("Recall's status sub-code")
    status_updated_at: datetime | None = column("When the status last changed, UTC")
    is_gone: bool = column("Whether the recording no longer exists upstream", default=False)
    bot_id: str | None = column("Recall's id of the bot; null for the desktop SDK")
    bot_name: str | None = column("Name the bot joined under")
    platform: str | None = column("Meeting platform, Recall's code")
    meeting_id: str | None = column("The platform's id of the meeting; never a password")
    bot_media_expired: bool = column("Whether Recall has removed the bot's media", default=False)
    mp3_requested: bool | None = column("Whether a mixed-audio MP3 was requested; null: unknown")
    has_mp3: bool | None = column("Whether Recall ever showed an MP3 of it; null: never looked up", since=2)
    mp3_looked_up_at: datetime | None = column(
        "When Recall showed no MP3 although its request is unknown, UTC", since=2
    )
    mp3_lookup_error: str | None = column("Why the last lookup of its MP3s failed; null: it did not", since=2)
    start_is_estimated: bool = column(
        "Whether `created_at` is only the earliest possible start: the tables of its day were lost",
        default=False,
        since=3,
    )
    metadata: str | None = column("Recall's metadata, JSON")
    other_fields: str | None = column(
        "Fields of the API that this project does not know, JSON without secrets and free text"
    )

    @classmethod
    def of(cls, recording: Recording, bot: BotRow | None) -> "RecordingRow":
        """Return the row of a recording as the API shows it."""
        return cls(
            recording_id=recording.id,
            created_at=recording.created_at,
            started_at=_after_start(recording, recording.started_at),
            completed_at=_after_start(recording, recording.completed_at),
            expires_at=_after_start(recording, recording.expires_at),
            status_code=recording.status.code,
            status_sub_code=recording.status.sub_code,
            status_updated_at=recording.status.updated_at,
            bot_id=recording.bot.id if recording.bot else (bot.bot_id if bot else None),
            bot_name=bot.bot_name if bot else None,
            platform=bot.platform if bot else None,
            meeting_id=bot.meeting_id if bot else None,
            bot_media_expired=bot.media_expired if bot else False,
            mp3_requested=bot.mp3_requested if bot else None,
            metadata=metadata_json(recording.metadata),
            other_fields=recording.other_fields,
        )

    def merged_with(self, before: "RecordingRow | None") -> "RecordingRow":
        """Return this row with missing values taken from another row. What the API leaves out is not a change."""
        if before is None:
            return self
        names = _REMEMBERED if self.status_code else (*_REMEMBERED, *_STATUS)
        kept = {name: getattr(before, name) for name in names if getattr(self, name) is None}
        has_mp3 = self.has_mp3 or before.has_mp3
        media_expired = self.bot_media_expired or before.bot_media_expired  # removed media never return
        merged = dataclasses.replace(self, bot_media_expired=media_expired, has_mp3=has_mp3, **kept)
        is_unchanged = (merged.status(), merged.completed_at) == (before.status(), before.completed_at)
        return dataclasses.replace(merged, mp3_looked_up_at=before.mp3_looked_up_at if is_unchanged else None)

    def completed_by(self, copy: "RecordingRow | None") -> "RecordingRow":
        """Return this row with what only another copy of the recording shows, and with its status if that is newer."""
        if copy is None:
            return self
        is_newer = copy.status_code and copy.status().is_newer_than(self.status())
        status = {name: getattr(copy, name) for name in _STATUS} if is_newer else {}
        return dataclasses.replace(self.merged_with(copy), **status)

    @property
    def recorded_seconds(self) -> float | None:
        """Length by the API's times, pauses included; None if one is missing, or if no meeting can have them."""
        if self.completed_at is None:
            return None
        length = self.completed_at - (self.started_at or self.created_at)
        return length.total_seconds() if timedelta() <= length <= _LONGEST else None

    def with_mp3(self) -> "RecordingRow":
        """Return this row for a recording of which Recall shows an MP3."""
        return dataclasses.replace(self, has_mp3=True, mp3_looked_up_at=None)

    def status(self) -> Status:
        """Return the status at the last sync."""
        return Status(self.status_code, self.status_sub_code, self.status_updated_at)

    def redacted(self) -> "RecordingRow":
        """Return the row of an erased recording: ids, and the start that determines its day."""
        return RecordingRow(recording_id=self.recording_id, created_at=self.created_at, bot_id=self.bot_id)

    def marked_deleted(self) -> "RecordingRow":
        """Return this row for a recording that no longer exists upstream."""
        return dataclasses.replace(self, status_code=DELETED, is_gone=True)


_REMEMBERED = (
    *("started_at", "completed_at", "expires_at", "metadata"),
    *("bot_id", "bot_name", "platform", "meeting_id", "mp3_requested"),
)
MP3_DUE_WITHIN = timedelta(hours=1)
"""How long after a recording its MP3 may come, although nothing shows it yet."""
_STATUS = ("status_code", "status_sub_code", "status_updated_at")
_LONGEST = timedelta(days=30)
RECORDINGS = Table("recordings", RecordingRow, version=3)
_LEFT_OUT, _MOST_LEFT_OUT = "left_out", 100


def rows_left_out(facts: Mapping[str, str]) -> list[str]:
    """Return position and fault of the rows that the last sync could not use, from the facts of the day's table."""
    rows: list[str] = json.loads(facts.get(_LEFT_OUT, "[]"))
    return rows


async def sync_recordings(
    day: ArchiveDay, upstream: "Upstream", refetch: frozenset[str] = frozenset()
) -> list[RecordingRow]:
    """Write the table `recordings` of a day: recordings listed, embedded in bots, or known before.

    A recording that is not listed any more is looked up. The MP3s of a recording are looked up if it may have one and
    shows none, and always if it is in `refetch`: the lists of its day do not show an MP3 that was created later.
    Returns its rows. Raises RecallError and StorageError.
    """
    await look_up_unlisted_bots(day, upstream)
    known = {row.recording_id: row for row in day.rows(RECORDINGS)}
    erased = erased_in(day).recordings
    rows = await _current_rows(day, upstream, known, erased)
    rows = {recording_id: row.merged_with(known.get(recording_id)) for recording_id, row in rows.items()}
    rows = await _with_mp3_lookups(upstream, rows, erased, refetch | _with_late_mp3(day, rows))
    rows |= {recording_id: rows[recording_id].redacted() for recording_id in erased & rows.keys()}
    ordered = sorted(rows.values(), key=lambda row: (row.created_at, row.recording_id))
    bots = {row.bot_id for row in ordered if row.bot_id}
    facts = expired_bots_fact(day, upstream, RECORDINGS, bots) | unknowns_of(day, upstream, RECORDINGS).facts()
    facts |= late_mp3s_fact(day, upstream, rows)
    before = stored.facts if (stored := day.stored(RECORDINGS)) else {}
    facts |= listing_facts(day.day, before, upstream.listing.listed_at)
    if upstream.listing.rejected:
        facts[_LEFT_OUT] = json.dumps(upstream.listing.rejected[:_MOST_LEFT_OUT])
    day.write(RECORDINGS, ordered, facts)
    return ordered


async def _current_rows(
    day: ArchiveDay, upstream: "Upstream", known: Mapping[str, RecordingRow], erased: frozenset[str]
) -> dict[str, RecordingRow]:
    """Return the rows of all recordings of the day as Recall.ai shows them now."""
    embedded = _embedded_rows(upstream, day.day)
    bots = _ShownBots(day, upstream)
    rows = {}
    for recording in upstream.recordings_of(day.day):
        copy = embedded.pop(recording.id, None)  # freed at once: a large day has tens of thousands
        bot_id = recording.bot.id if recording.bot else _bot_id_in(copy)
        rows[recording.id] = RecordingRow.of(recording, bots.get(bot_id)).completed_by(copy)
    unlisted = (known.keys() | embedded.keys()) - rows.keys()
    rows |= {
        name: known[name].completed_by(embedded.get(name)) if name in known else embedded[name] for name in unlisted
    }
    in_doubt = [name for name in unlisted - erased if rows[name].status_code != DELETED]
    for recording_id, answer in (await upstream.look_up_recordings(in_doubt)).items():
        rows[recording_id] = _answered(rows[recording_id], answer, bots)
    return rows


async def _with_mp3_lookups(
    upstream: "Upstream", rows: Mapping[str, RecordingRow], erased: frozenset[str], refetch: frozenset[str]
) -> dict[str, RecordingRow]:
    """Return rows that state whether an MP3 exists, looked up for `refetch`, and where one may exist unshown."""
    shown = upstream.artifacts_of(rows)
    with_mp3 = {name for name, artifacts in shown if any(audio.is_mp3 for audio in artifacts.values())}
    stated = {
        name: dataclasses.replace(row.with_mp3() if name in with_mp3 else row, mp3_lookup_error=None)
        for name, row in rows.items()
    }
    now = upstream.listing.listed_at
    in_doubt = [name for name, row in stated.items() if name in refetch or _is_worth_asking(row, now)]
    in_doubt = [name for name in in_doubt if name not in erased and not stated[name].is_gone]
    for recording_id, answer in (await upstream.look_up_artifacts_of(in_doubt)).items():
        if isinstance(answer, RecallError):
            stated[recording_id] = dataclasses.replace(stated[recording_id], mp3_lookup_error=str(answer))
        else:
            found = any(audio.is_mp3 for audio in (answer or {}).values())
            row = dataclasses.replace(stated[recording_id], has_mp3=found or stated[recording_id].has_mp3 is True)
            is_final = row.mp3_requested is None and not found
            stated[recording_id] = dataclasses.replace(row, mp3_looked_up_at=now) if is_final else row
    return stated


def _with_late_mp3(day: ArchiveDay, rows: Mapping[str, RecordingRow]) -> set[str]:
    """Return the recordings without an MP3 of which a later day notes one, since they were looked up."""
    without = [row for row in rows.values() if not (row.has_mp3 or row.is_gone or row.status_code == DELETED)]
    noted = recordings_with_late_mp3(day, RECORDINGS) if without else {}
    late = [row for row in without if row.recording_id in noted]
    return {
        row.recording_id
        for row in late
        if row.mp3_looked_up_at is None or row.mp3_looked_up_at < noted[row.recording_id]
    }


def _after_start(recording: Recording, moment: datetime | None) -> datetime | None:
    """Return `moment`, unless it is over a day before the start: then it is a zero, or another unit of time."""
    return moment if moment and moment >= recording.created_at - ONE_DAY else None


def _may_have_mp3(row: RecordingRow) -> bool:
    """Whether an MP3 may exist although none was ever shown (docs/design/recall-api.md, section 3)."""
    if row.has_mp3 or row.is_gone or row.status_code == DELETED or row.status_code in IN_PROGRESS:
        return False
    return row.mp3_requested is not False and Meeting(row.platform).makes_mp3


def _is_worth_asking(row: RecordingRow, now: datetime) -> bool:
    """Whether to ask for an MP3 that no list shows.

    If the request for it is unknown, once is enough, when an MP3 would be there. The lists show one that comes later:
    that of its day, or those of the days after (late_mp3s.py).
    """
    if not _may_have_mp3(row):
        return False
    if row.mp3_requested is not None:
        return True
    done_at = row.completed_at or row.status_updated_at
    return row.mp3_looked_up_at is None and (done_at is None or now - done_at >= MP3_DUE_WITHIN)


def _answered(row: RecordingRow, answer: Recording | RecallError | None, bots: "_ShownBots") -> RecordingRow:
    if answer is None:
        return row.marked_deleted()
    if isinstance(answer, RecallError):
        return row
    bot_id = answer.bot.id if answer.bot else row.bot_id
    return RecordingRow.of(answer, bots.get(bot_id)).merged_with(row)


def _bot_id_in(row: RecordingRow | None) -> str | None:
    return row.bot_id if row else None


def _embedded_rows(upstream: "Upstream", day: date) -> dict[str, RecordingRow]:
    return {copy.id: RecordingRow.of(copy, BotRow.of(bot)) for copy, bot in upstream.embedded_in_bots(day)}


@dataclass(slots=True)
class _ShownBots:
    """The bots of the day's recordings; filed ones only where a recording's bot is not shown completely."""

    day: ArchiveDay
    upstream: "Upstream"
    _filed: dict[str, BotRow] | None = None

    def get(self, bot_id: str | None) -> BotRow | None:
        """Return the row of a bot; None if nothing shows it."""
        if bot_id is None:
            return None
        bot = self.upstream.bots.get(bot_id)
        row = BotRow.of(bot) if bot else None
        if row and row.is_complete:
            return row
        if self._filed is None:
            self._filed = filed_bots(self.day, self.day.day - ONE_DAY, self.day.day)
        filed = self._filed.get(bot_id)
        return row.merged_with(filed) if row else filed
