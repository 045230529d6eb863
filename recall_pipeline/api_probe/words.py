"""The closed vocabulary of a report: names of fields, codes, headers and media types that are public knowledge.

A service can put anything into a name: a metadata key is a customer's word, and so may a field or a header be. So only
names of Recall's published description (v1.10 and v1.11) and of common standards are written; others are counted.
"""

from collections.abc import Mapping
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
    "audio_mixed": _ARTIFACT,
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
PAGE = frozenset(("count", "next", "previous", "results", "data", "items", "has_more", "cursor"))
ERROR_KEYS = frozenset(("detail", "code", "message", "error", "errors", "path", "non_field_errors"))
QUERY = frozenset(("cursor", "page", "offset", "limit", "page_size", "use_cursor"))

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
HEADERS = frozenset(
    _words_in(
        "accept-ranges access-control-allow-origin access-control-expose-headers age allow alt-svc cache-"
        " control cf-cache-status cf-ray connection content-disposition content-encoding content-language"
        " content-length content-range content-security-policy content-type cross-origin-opener-policy cross-"
        " origin-resource-policy date etag expires keep-alive last-modified link location nel permissions-"
        " policy pragma ratelimit-limit ratelimit-policy ratelimit-remaining ratelimit-reset referrer-policy"
        " report-to retry-after server server-timing set-cookie strict-transport-security traceparent"
        " transfer-encoding vary via www-authenticate x-amz-cf-id x-amz-cf-pop x-amz-expiration x-amz-id-2"
        " x-amz-request-id x-amz-server-side-encryption x-amz-server-side-encryption-aws-kms-key-id x-amz-"
        " server-side-encryption-bucket-key-enabled x-amz-storage-class x-amz-version-id x-amzn-trace-id"
        " x-cache x-content-type-options x-correlation-id x-envoy-upstream-service-time x-frame-options"
        " x-powered-by x-ratelimit-limit x-ratelimit-remaining x-ratelimit-reset x-request-id x-trace-id"
        " x-xss-protection"
    )
)
MEDIA_TYPES = frozenset(
    _words_in(
        "application/json application/octet-stream application/problem+json application/xml audio/mp3"
        " audio/mpeg audio/mpeg3 audio/x-mpeg binary/octet-stream text/html text/plain text/xml"
    )
)
LINK_QUERY = frozenset(
    _words_in(
        "AWSAccessKeyId Expires Signature X-Amz-Algorithm X-Amz-Credential X-Amz-Date X-Amz-Expires X-Amz-"
        " Security-Token X-Amz-Signature X-Amz-SignedHeaders response-content-disposition response-content-"
        " type versionId x-amz-security-token x-id"
    )
)
STORAGE_ERRORS = frozenset(
    _words_in("AccessDenied ExpiredToken InvalidToken NoSuchKey SignatureDoesNotMatch RequestTimeTooSkewed")
)
EXTENSIONS = frozenset(("mp3", "mp4", "wav", "raw", "bin", "flac", "m4a", "aac"))
MEDIA_HOSTS: Mapping[str, str] = {
    "recallai-production-bot-data.s3.amazonaws.com": "Recall's bucket",
    "us-west-2-recallai-production-bot-data.s3.amazonaws.com": "Recall's bucket",
    "eu-central-1-recallai-production-bot-data.s3.amazonaws.com": "Recall's bucket",
    "ap-northeast-1-recallai-production-bot-data.s3.amazonaws.com": "Recall's bucket",
}


def media_type_word(header: str | None) -> str:
    """Return a Content-Type without parameters if it is in the vocabulary, else `other` or `none`."""
    if not header:
        return "none"
    name = header.partition(";")[0].strip().lower()
    return name if name in MEDIA_TYPES else "other"


def split_names(names: Mapping[str, Any] | list[str], known: frozenset[str]) -> tuple[list[str], int]:
    """Return the names that are in the vocabulary, sorted, and the number of the others."""
    found = {name for name in names if name in known}
    return sorted(found), len(set(names) - found)
