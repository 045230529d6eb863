"""The outcome of a recording: docs/design/interface.md, section 4, first match wins, read from top to bottom.

`silent` is measured by `integrated_lufs` of the package `audio`: no block of 400 ms is above -70 LUFS.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from recall_pipeline.catalog.audio_columns import AudioColumns
from recall_pipeline.catalog.findings import FindingCode
from recall_pipeline.discovery import MP3_DUE_WITHIN, RecordingRow
from recall_pipeline.download import ARCHIVED, MixedAudioRow
from recall_pipeline.recall_api import DELETED, IN_PROGRESS, Meeting

_GIVEN_UP_AFTER = timedelta(hours=24)


class Outcome(StrEnum):
    """What became of a recording."""

    FORGOTTEN = "forgotten"
    READY = "ready"
    SILENT = "silent"
    CORRUPT = "corrupt"
    DOWNLOAD_FAILED = "download_failed"
    FAILED_UPSTREAM = "failed_upstream"
    EXPIRED = "expired"
    DELETED = "deleted"
    PROCESSING = "processing"
    UNSUPPORTED_PLATFORM = "unsupported_platform"
    NOT_REQUESTED = "not_requested"


SETTLED = frozenset({Outcome.FORGOTTEN, Outcome.READY, Outcome.SILENT, Outcome.CORRUPT})
"""Outcomes that change only with a new version upstream, or on request."""

AUDIBLE = frozenset({Outcome.READY, Outcome.SILENT})
"""Outcomes with a normalized file."""


_UNCHANGED = "unchanged for more than 24 h"
NEWER_VERSION = frozenset({FindingCode.NEWER_VERSION_CORRUPT, FindingCode.NEWER_VERSION_FAILED})
"""Findings of a row whose audio is of an older version, since the newest one is bad."""


def is_overdue(outcome: str, reason: str | None, findings: Collection[str] | None) -> bool:
    """Return whether Recall has not finished a recording in time, which it may still do.

    Rows without the column `findings` state it in words.
    """
    is_stated = _UNCHANGED in (reason or "") if findings is None else FindingCode.OVERDUE in findings
    return outcome == Outcome.FAILED_UPSTREAM and is_stated


def is_pending(outcome: str, reason: str | None, findings: Collection[str] | None) -> bool:
    """Return whether every sync looks at a row again, whatever its age: the outcomes of rows 4, 7 and 9."""
    return outcome in (Outcome.PROCESSING, Outcome.DOWNLOAD_FAILED) or is_overdue(outcome, reason, findings)


def is_at_risk(outcome: str, reason: str | None, findings: Collection[str] | None) -> bool:
    """Return whether a row has media that are not archived: it is pending, or a newer version is bad."""
    return is_pending(outcome, reason, findings) or not NEWER_VERSION.isdisjoint(findings or ())


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome, its reason, and the findings that it includes."""

    outcome: Outcome
    reason: str | None = None
    findings: tuple[str, ...] = ()

    def noting(self, code: FindingCode, reason: str) -> "Verdict":
        """Return the verdict with one more finding."""
        return Verdict(self.outcome, "; ".join(filter(None, (self.reason, reason))), (*self.findings, code))


def decide(
    recording: RecordingRow,
    audio: MixedAudioRow | None,
    columns: AudioColumns | None,
    now: datetime,
) -> Verdict:
    """Return the verdict on a recording and one of its MP3s (`audio` None: none is known).

    `columns` describe the normalized file of its newest archived version; None: there is none, or it was not tried yet.
    """
    return (
        (audio and _by_bytes(audio, columns))
        or _failed_upstream(recording, audio)
        or _gone_upstream(recording, audio, now)
        or _in_progress(recording, audio, now)
        or _not_known(recording)
        or _without_mp3(recording, now)
    )


def _by_bytes(audio: MixedAudioRow, columns: AudioColumns | None) -> Verdict | None:
    """Rows 1 to 4: what is in the archive, and what could not be downloaded."""
    if audio.state == ARCHIVED or columns is not None:
        return _with_newer_version(_normalized(columns or AudioColumns(failure="it was not tried yet")), audio)
    if audio.is_offered and not audio.is_settled:
        return Verdict(Outcome.DOWNLOAD_FAILED, audio.fetch_failure or "not fetched yet")
    if audio.fault is not None:
        return Verdict(Outcome.CORRUPT, audio.fault)
    return None


def _with_newer_version(verdict: Verdict, audio: MixedAudioRow) -> Verdict:
    """Return the verdict on the archived version, with what keeps a newer one from taking its place."""
    if audio.status_code != "done" or (audio.is_captured and audio.fault is None):
        return verdict
    if audio.is_captured:
        return verdict.noting(FindingCode.NEWER_VERSION_CORRUPT, f"a newer version is corrupt: {audio.fault}")
    why = audio.fetch_failure or ("not fetched yet" if audio.has_url else "no download is offered yet")
    return verdict.noting(FindingCode.NEWER_VERSION_FAILED, f"a newer version could not be stored: {why}")


def _normalized(columns: AudioColumns) -> Verdict:
    if columns.failure:
        return Verdict(Outcome.DOWNLOAD_FAILED, f"the MP3 is archived, normalizing it failed: {columns.failure}")
    return Verdict(Outcome.SILENT if columns.is_silent else Outcome.READY, columns.finding, columns.codes)


def _failed_upstream(recording: RecordingRow, audio: MixedAudioRow | None) -> Verdict | None:
    """Row 5: failed upstream."""
    if audio and audio.status_code == "failed":
        return Verdict(Outcome.FAILED_UPSTREAM, _coded("Recall failed to make the MP3", audio.status_sub_code))
    if recording.status_code == "failed":
        return Verdict(Outcome.FAILED_UPSTREAM, _coded("Recall failed to record", recording.status_sub_code))
    return None


def _gone_upstream(recording: RecordingRow, audio: MixedAudioRow | None, now: datetime) -> Verdict | None:
    """Row 6: deleted or expired upstream."""
    is_past = recording.expires_at is not None and recording.expires_at < now
    if audio and audio.status_code == DELETED:
        why = "the MP3 is gone at Recall"
    elif recording.is_gone or recording.status_code == DELETED:
        why = "the recording is gone at Recall"
    elif recording.bot_media_expired:
        why = "Recall has removed the bot's media"
    elif audio is None and is_past:
        why = "its retention has ended, and no MP3 is known"
    else:
        return None
    is_expired = is_past or recording.bot_media_expired
    return Verdict(Outcome.EXPIRED if is_expired else Outcome.DELETED, f"{why}; it was never archived")


def _in_progress(recording: RecordingRow, audio: MixedAudioRow | None, now: datetime) -> Verdict | None:
    """Row 7: in progress. An unknown code counts as in progress until it has not changed for a day."""
    if audio is not None:
        why = (
            "finished, but no download is offered yet"
            if audio.status_code == "done"
            else _at("the MP3", audio.status_code)
        )
    elif recording.status_code in IN_PROGRESS:
        why = _at("the recording", recording.status_code)
    else:
        return None
    changes = (recording.completed_at, recording.status_updated_at, audio.updated_at if audio else None)
    latest = max((moment for moment in changes if moment), default=now)
    if recording.completed_at is not None and now - latest > _GIVEN_UP_AFTER:
        return Verdict(Outcome.FAILED_UPSTREAM, f"{why}, {_UNCHANGED}", (FindingCode.OVERDUE,))
    return Verdict(Outcome.PROCESSING, why)


def _not_known(recording: RecordingRow) -> Verdict | None:
    """Row 4, if the lookup of the MP3 failed: rows 8 to 10 would claim that no MP3 exists."""
    if recording.mp3_lookup_error is None:
        return None
    return Verdict(Outcome.DOWNLOAD_FAILED, f"Recall does not say whether it has an MP3: {recording.mp3_lookup_error}")


def _without_mp3(recording: RecordingRow, now: datetime) -> Verdict:
    """Rows 8 to 10: no MP3 exists."""
    if not Meeting(recording.platform).makes_mp3:
        return Verdict(Outcome.UNSUPPORTED_PLATFORM, f"Recall makes no mixed-audio MP3 on {recording.platform}")
    finished_at = recording.completed_at or recording.status_updated_at
    is_fresh = finished_at is not None and now - finished_at < MP3_DUE_WITHIN
    if recording.status_code == "done" and is_fresh and recording.mp3_requested is not False:
        return Verdict(Outcome.PROCESSING, "done less than an hour ago; the MP3 may still come")
    return Verdict(Outcome.NOT_REQUESTED, _why_no_mp3(recording))


def _why_no_mp3(recording: RecordingRow) -> str:
    if recording.mp3_requested is False:
        return "the bot's recording_config has no audio_mixed_mp3"
    requested = "audio_mixed_mp3 was requested"
    if recording.mp3_requested is None:
        requested = "it is unknown whether an MP3 was requested"
    return f"no MP3 exists; {requested}; the recording is {recording.status_code or 'without a status'}"


def _at(what: str, code: str | None) -> str:
    return f"{what} is {code or 'without a status'} at Recall"


def _coded(text: str, sub_code: str | None) -> str:
    return f"{text} ({sub_code})" if sub_code else text
