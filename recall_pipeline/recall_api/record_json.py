"""Listed records as JSON rows of the API's shape, without links, so that a listing can be kept in a file.

`read_record` makes an equal record of each, because records contain nothing that it would change again. A link is a
secret: its place is marked, and `with_links` restores it from memory.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from recall_pipeline.recall_api.records import AudioMixed, Bot, Recording, Status

_LINK = "download_url"
_KEPT = "kept"
Row = dict[str, Any]


def row_of(record: Bot | Recording | AudioMixed) -> Row:
    """Return the row of a record, without its links and without fields that are null."""
    if isinstance(record, Bot):
        fields = _bot_fields(record)
    else:
        fields = _recording_fields(record) if isinstance(record, Recording) else _audio_fields(record)
    others = json.loads(record.other_fields) if record.other_fields else {}
    return {**others, "id": record.id, **{name: value for name, value in fields.items() if value is not None}}


def links_of(record: Bot | Recording | AudioMixed) -> Mapping[str, str]:
    """Return the links in a record by the ids of their artifacts; links of artifacts within it count too."""
    if isinstance(record, Bot):
        return {audio_id: link for within in record.recordings for audio_id, link in links_of(within).items()}
    audio = record.media_shortcuts.audio_mixed if isinstance(record, Recording) else record
    if audio is None or audio.download_url is None:
        return {}
    return {audio.id: audio.download_url.get_secret_value()}


def with_links(kind: str, row: Row, links: Mapping[str, str]) -> Row:
    """Return a row of `row_of` with the links of its artifacts, as far as they are known."""
    if kind == "bot":
        return {**row, "recordings": [with_links("recording", within, links) for within in row["recordings"]]}
    if kind == "recording":
        audio = row.get("media_shortcuts", {}).get("audio_mixed")
        return {**row, "media_shortcuts": {"audio_mixed": with_links("", audio, links)}} if audio else row
    return {**row, _LINK: links.get(row["id"])} if row.get(_LINK) == _KEPT else row


def _bot_fields(bot: Bot) -> Row:
    requested: Row | None = {None: None, False: {}, True: {"audio_mixed_mp3": {}}}[bot.mp3_requested]
    meeting_id = quote(bot.meeting.meeting_id, safe="") if bot.meeting.meeting_id else None
    return {
        "bot_name": bot.bot_name,
        "meeting_url": {"platform": bot.meeting.platform, "meeting_id": meeting_id},
        "metadata": bot.metadata,
        "recording_config": requested,
        "join_at": _iso_text(bot.join_at),
        "status_changes": [
            {"code": each.code, "created_at": _iso_text(each.created_at)} for each in bot.status_changes
        ],
        "recordings": [row_of(recording) for recording in bot.recordings],
    }


def _recording_fields(recording: Recording) -> Row:
    audio = recording.media_shortcuts.audio_mixed
    return {
        "created_at": _iso_text(recording.created_at),
        "started_at": _iso_text(recording.started_at),
        "completed_at": _iso_text(recording.completed_at),
        "expires_at": _iso_text(recording.expires_at),
        "status": _status_row(recording.status),
        "media_shortcuts": {"audio_mixed": row_of(audio)} if audio else None,
        "bot": {"id": recording.bot.id} if recording.bot else None,
        "metadata": recording.metadata,
    }


def _audio_fields(audio: AudioMixed) -> Row:
    return {
        "recording": {"id": audio.recording.id} if audio.recording else None,
        "created_at": _iso_text(audio.created_at),
        "status": _status_row(audio.status),
        "metadata": audio.metadata,
        _LINK: _KEPT if audio.download_url else None,
        "format": audio.format,
    }


def _status_row(status: Status) -> Row:
    return {"code": status.code, "sub_code": status.sub_code, "updated_at": _iso_text(status.updated_at)}


def _iso_text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
