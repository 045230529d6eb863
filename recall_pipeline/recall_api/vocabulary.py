"""Names of fields, and codes, in Recall's published descriptions (v1.10 and v1.11); everything else is unknown."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

Known: TypeAlias = Mapping[str, Any]
"""Field names of an object; the value is the vocabulary of what is within, None where nothing within is read."""


def _words_in(text: str) -> dict[str, Any]:
    return dict.fromkeys(text.split())


_STATUS = _words_in("code sub_code updated_at")
_ARTIFACT = {
    **_words_in("id created_at metadata format download_url expires_at updated_at title"),
    "status": _STATUS,
    "data": _words_in("download_url provider_data_download_url"),
}
AUDIO_MIXED: Known = {**_ARTIFACT, "recording": _words_in("id metadata"), "bot": _words_in("id metadata")}
_SHORTCUTS = {
    **_words_in("video_mixed transcript participant_events meeting_metadata video_separate audio_separate"),
    "audio_mixed": AUDIO_MIXED,
}
RECORDING: Known = {
    **_words_in("id created_at started_at completed_at expires_at updated_at metadata desktop_sdk_upload"),
    "status": _STATUS,
    "media_shortcuts": _SHORTCUTS,
    "bot": _words_in("id metadata"),
}
BOT: Known = {
    **_words_in("id bot_name join_at metadata calendar_meetings slack_team created_at status status_code"),
    **_words_in("meeting_participants video_url meeting_metadata media_retention_end calendar_user_id variant"),
    **_words_in("automatic_leave automatic_video_output automatic_audio_output output_media chat zoom google_meet"),
    **_words_in("breakout_room transcription_options real_time_transcription real_time_media recording_mode"),
    **_words_in("recording_mode_options include_bot_in_recording start_recording_on recording"),
    "meeting_url": _words_in(
        "meeting_id meeting_password platform thread_id organizer_id tenant_id message_id business_meeting_id"
        " business_meeting_password meeting_subdomain meeting_mtid meeting_path meeting_personal_room_id"
    ),
    "recording_config": _words_in(
        "audio_mixed_mp3 audio_mixed_raw audio_mixed video_mixed_mp4 video_mixed_flv video_mixed_layout transcript"
        " participant_events meeting_metadata retention start_recording_on metadata realtime_endpoints"
        " video_mixed_participant_video_when_screenshare include_bot_in_recording video_separate_png"
        " video_separate_mp4 audio_separate_raw audio_separate_mp3 video_separate_h264"
    ),
    "status_changes": _words_in("code message created_at sub_code recording_id"),
    "recordings": {name: within for name, within in RECORDING.items() if name != "bot"},
}
OBJECTS: Mapping[str, Known] = {"bot": BOT, "recording": RECORDING, "audio_mixed": AUDIO_MIXED}

CODES: Mapping[str, frozenset[str]] = {
    "bot": frozenset(
        _words_in(
            "ready joining_call in_waiting_room in_call_not_recording recording_permission_allowed"
            " recording_permission_denied in_call_recording call_ended recording_done done fatal analysis_done"
            " analysis_failed media_expired"
        )
    ),
    "recording": frozenset(_words_in("processing paused done failed deleted")),
    "audio_mixed": frozenset(_words_in("processing done failed deleted")),
    "format": frozenset(("mp3", "raw")),
    "shortcut_format": frozenset(("mp3", "raw")),
    "platform": frozenset(
        _words_in(
            "zoom google_meet microsoft_teams microsoft_teams_live webex goto_meeting chime_sdk zoom_rtms"
            " google_meet_media_api slack_authenticator slack_huddle_observer"
        )
    ),
}


def objects_within(place: str, name: str, value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the objects in a field, each with its place such as `bot.recordings[]`."""
    if isinstance(value, dict):
        yield f"{place}.{name}", value
    elif isinstance(value, list):
        yield from ((f"{place}.{name}[]", item) for item in value if isinstance(item, dict))


def codes_of(kind: str, row: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the codes of a row, each with the name of its vocabulary; of a bot all codes of its history."""
    if kind == "bot":
        history = row.get("status_changes")
        yield from (("bot", change.get("code")) for change in _objects(history))
        yield "platform", _object(row.get("meeting_url")).get("platform")
        return
    status = row.get("status")
    yield kind, status if isinstance(status, str) else _object(status).get("code")
    if kind == "audio_mixed":
        yield "format", row.get("format")
    else:
        yield "shortcut_format", _object(_object(row.get("media_shortcuts")).get("audio_mixed")).get("format")


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
