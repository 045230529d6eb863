"""The outcome table of docs/design/interface.md, section 4, row by row, and which row wins where two match."""

import dataclasses
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from recall_pipeline.catalog.audio_columns import AudioColumns
from recall_pipeline.catalog.outcomes import SETTLED, Outcome, decide
from recall_pipeline.discovery import RecordingRow
from recall_pipeline.download import MixedAudioRow
from recall_pipeline_tests.workspace import an_id

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
ENDED = NOW - timedelta(hours=2)
VERSION, NEWER_VERSION = ENDED + timedelta(minutes=5), ENDED + timedelta(minutes=50)
PAST, FUTURE = NOW - timedelta(hours=1), NOW + timedelta(days=1)
SILENT, FAILED = AudioColumns(is_silent=True), AudioColumns(failure="no memory")

RECORDING = RecordingRow(
    recording_id=an_id("recording"),
    created_at=ENDED - timedelta(hours=1),
    completed_at=ENDED,
    status_code="done",
    status_updated_at=ENDED,
    platform="zoom",
    mp3_requested=True,
)
OFFERED = MixedAudioRow(RECORDING.recording_id, an_id("mp3"), updated_at=VERSION, status_code="done", has_url=True)
ARCHIVED = dataclasses.replace(OFFERED, state="archived", captured_updated_at=VERSION, source_key="key")
CORRUPT = dataclasses.replace(ARCHIVED, state="corrupt", fault="it is a web page")


def recording(**changes: Any) -> RecordingRow:
    return dataclasses.replace(RECORDING, **changes)


def mp3(row: MixedAudioRow = OFFERED, **changes: Any) -> MixedAudioRow:
    return dataclasses.replace(row, **changes)


def made(**changes: Any) -> MixedAudioRow:
    """An MP3 that Recall has not finished, or not offered."""
    return mp3(has_url=False, **changes)


A_DAY_AGO = NOW - timedelta(hours=25)
LONG_ENDED = recording(completed_at=A_DAY_AGO, status_updated_at=A_DAY_AGO)

Case = tuple[str, RecordingRow, MixedAudioRow | None, AudioColumns | None, str]

TABLE: dict[int, list[Case]] = {
    1: [
        ("archived, deleted since", RECORDING, mp3(ARCHIVED, status_code="deleted", has_url=False), None, "ready"),
        ("archived, failed since", RECORDING, mp3(ARCHIVED, status_code="failed", has_url=False), None, "ready"),
        ("archived, recording gone", recording(status_code="deleted", is_gone=True), ARCHIVED, None, "ready"),
        ("archived, media expired", recording(bot_media_expired=True, expires_at=PAST), ARCHIVED, None, "ready"),
        ("archived, silent, deleted since", recording(status_code="deleted"), ARCHIVED, SILENT, "silent"),
        ("archived, looked at again in vain", RECORDING, mp3(ARCHIVED, fetch_failure="503"), None, "ready"),
        ("archived, processed anew", RECORDING, mp3(ARCHIVED, status_code="processing", has_url=False), None, "ready"),
        ("a newer version is corrupt", RECORDING, mp3(ARCHIVED, fault="cut short"), None, "ready"),
        ("a newer version could not be fetched", RECORDING,
         mp3(ARCHIVED, updated_at=NEWER_VERSION, fetch_failure="503"), None, "ready"),
        ("silent, a newer version could not be fetched", RECORDING,
         mp3(ARCHIVED, updated_at=NEWER_VERSION, fetch_failure="503"), SILENT, "silent"),
        ("a newer version has no URL", RECORDING, mp3(ARCHIVED, updated_at=NEWER_VERSION, has_url=False), None,
         "ready"),
        ("a newer version failed at Recall", RECORDING,
         mp3(ARCHIVED, updated_at=NEWER_VERSION, status_code="failed", has_url=False), None, "ready"),
        ("cataloged, and mixed_audio was lost", RECORDING, mp3(fetch_failure="503"), AudioColumns(), "ready"),
    ],
    2: [
        ("proven", RECORDING, ARCHIVED, None, "ready"),
        ("proven without a stated version", RECORDING, mp3(ARCHIVED, updated_at=None, captured_updated_at=None),
         None, "ready"),
        ("proven, nothing to be heard", RECORDING, ARCHIVED, SILENT, "silent"),
    ],
    3: [
        ("corrupt", RECORDING, CORRUPT, None, "corrupt"),
    ],
    4: [
        ("could not be fetched", RECORDING, mp3(fetch_failure="503"), None, "download_failed"),
        ("not fetched yet", RECORDING, OFFERED, None, "download_failed"),
        ("a version after a corrupt one could not be fetched", RECORDING,
         mp3(CORRUPT, updated_at=NEWER_VERSION, fetch_failure="503"), None, "download_failed"),
        ("archived, could not be normalized", RECORDING, ARCHIVED, FAILED, "download_failed"),
        ("offered, though the recording failed", recording(status_code="failed"), OFFERED, None, "download_failed"),
        ("offered, though the bot's media expired", recording(bot_media_expired=True), OFFERED, None,
         "download_failed"),
    ],
    5: [
        ("MP3 failed", RECORDING, made(status_code="failed"), None, "failed_upstream"),
        ("recording failed", recording(status_code="failed"), None, None, "failed_upstream"),
        ("recording failed, MP3 processing", recording(status_code="failed"), made(status_code="processing"), None,
         "failed_upstream"),
    ],
    6: [
        ("MP3 deleted", RECORDING, made(status_code="deleted"), None, "deleted"),
        ("MP3 deleted, retention over", recording(expires_at=PAST), made(status_code="deleted"), None, "expired"),
        ("MP3 deleted, retention not over", recording(expires_at=FUTURE), made(status_code="deleted"), None,
         "deleted"),
        ("recording deleted", recording(status_code="deleted"), None, None, "deleted"),
        ("recording gone", recording(status_code="deleted", is_gone=True), None, None, "deleted"),
        ("recording gone, MP3 processing", recording(is_gone=True), made(status_code="processing"), None, "deleted"),
        ("bot's media expired", recording(bot_media_expired=True), None, None, "expired"),
        ("bot's media expired in time", recording(bot_media_expired=True, expires_at=PAST), None, None, "expired"),
        ("no MP3, retention over", recording(expires_at=PAST), None, None, "expired"),
    ],
    7: [
        ("MP3 processing", RECORDING, made(status_code="processing"), None, "processing"),
        ("MP3 processing, retention over", recording(expires_at=PAST), made(status_code="processing"), None,
         "processing"),
        ("MP3 done without a URL", RECORDING, made(status_code="done"), None, "processing"),
        ("MP3 with an unknown code", RECORDING, made(status_code="polishing"), None, "processing"),
        ("recording processing", recording(status_code="processing", completed_at=None), None, None, "processing"),
        ("recording paused", recording(status_code="paused", completed_at=None), None, None, "processing"),
        ("MP3 processing for a day", LONG_ENDED, made(status_code="processing", updated_at=None), None,
         "failed_upstream"),
        ("MP3 without a URL for a day", LONG_ENDED, made(updated_at=A_DAY_AGO), None, "failed_upstream"),
        ("MP3 still changing after a day", LONG_ENDED, made(status_code="processing", updated_at=VERSION), None,
         "processing"),
        ("recording still changing after a day", recording(completed_at=A_DAY_AGO),
         made(status_code="processing", updated_at=None), None, "processing"),
        ("recording processing for a day", dataclasses.replace(LONG_ENDED, status_code="processing"), None, None,
         "failed_upstream"),
        ("nearly a day", recording(completed_at=NOW - timedelta(hours=23), status_updated_at=None),
         made(status_code="processing", updated_at=None), None, "processing"),
    ],
    8: [
        (platform, recording(platform=platform), None, None, "unsupported_platform")
        for platform in ("webex", "goto_meeting", "slack_authenticator", "slack_huddle_observer")
    ],
    9: [
        ("just done, requested", recording(completed_at=NOW - timedelta(minutes=59)), None, None, "processing"),
        ("just done, request unknown", recording(completed_at=NOW, mp3_requested=None), None, None, "processing"),
    ],
    10: [
        ("no MP3 after an hour", recording(completed_at=NOW - timedelta(minutes=61)), None, None, "not_requested"),
        ("just done, not requested", recording(completed_at=NOW, mp3_requested=False), None, None, "not_requested"),
        ("desktop recording", recording(platform=None, mp3_requested=None), None, None, "not_requested"),
        ("unknown code", recording(status_code="archiving"), None, None, "not_requested"),
    ],
}  # fmt: skip

# What matches both of two neighbouring rows of the table goes by the upper one.
PRECEDENCE: dict[tuple[int, int], Case] = {
    (1, 2): ("archived and offered still", RECORDING, ARCHIVED, SILENT, "silent"),
    (2, 3): ("proven, once corrupt", RECORDING, mp3(ARCHIVED, fault=None), None, "ready"),
    (3, 4): ("corrupt, and looked at again in vain", RECORDING, mp3(CORRUPT, fetch_failure="503"), None, "corrupt"),
    (4, 5): ("not fetched, recording failed", recording(status_code="failed"), mp3(fetch_failure="503"), None,
             "download_failed"),
    (5, 6): ("failed, then deleted with its bot's media", recording(status_code="failed", bot_media_expired=True),
             made(status_code="deleted"), None, "failed_upstream"),
    (6, 7): ("deleted while processing", recording(bot_media_expired=True), made(status_code="processing"), None,
             "expired"),
    (7, 8): ("paused on Webex", recording(status_code="paused", platform="webex"), None, None, "processing"),
    (8, 9): ("just done on Webex", recording(completed_at=NOW, platform="webex"), None, None, "unsupported_platform"),
    (9, 10): ("just done", recording(completed_at=NOW, mp3_requested=None), None, None, "processing"),
}  # fmt: skip


def named(case: Case) -> str:
    return case[0]


@pytest.mark.parametrize("case", [case for cases in TABLE.values() for case in cases], ids=named)
def test_every_row_of_the_table_has_its_outcome(case: Case) -> None:
    _, of_recording, of_mp3, listened, outcome = case
    heard = listened or (AudioColumns() if of_mp3 and of_mp3.state == "archived" else None)
    assert decide(of_recording, of_mp3, heard, NOW).outcome == outcome


@pytest.mark.parametrize("case", PRECEDENCE.values(), ids=named)
def test_the_upper_of_two_rows_wins(case: Case) -> None:
    test_every_row_of_the_table_has_its_outcome(case)


def test_no_row_of_the_table_and_no_pair_of_neighbours_is_left_out() -> None:
    assert list(PRECEDENCE) == list(pairwise(TABLE)) == list(pairwise(range(1, 11)))


@pytest.mark.parametrize(
    "case", [case for cases in TABLE.values() for case in cases if case[4] not in ("ready", "silent")], ids=named
)
def test_every_row_that_is_not_ready_has_a_reason(case: Case) -> None:
    _, of_recording, of_mp3, listened, _ = case
    heard = listened or (AudioColumns() if of_mp3 and of_mp3.state == "archived" else None)
    assert decide(of_recording, of_mp3, heard, NOW).reason


@pytest.mark.parametrize(
    ("of_recording", "of_mp3", "reason"),
    [
        (RECORDING, mp3(fetch_failure="the media host answers 503"), "the media host answers 503"),
        (RECORDING, CORRUPT, "it is a web page"),
        (RECORDING, made(status_code="failed", status_sub_code="mixing_failed"), "mixing_failed"),
        (recording(status_code="failed", status_sub_code="no_media"), None, "no_media"),
        (RECORDING, made(status_code="polishing"), "polishing"),
        (recording(mp3_requested=False), None, "the bot's recording_config has no audio_mixed_mp3"),
        (RECORDING, None, "audio_mixed_mp3 was requested"),
        (recording(mp3_requested=None), None, "it is unknown whether an MP3 was requested"),
        (recording(platform="webex"), None, "webex"),
        (LONG_ENDED, made(updated_at=None, status_code="processing"), "24 h"),
    ],
)
def test_the_reason_states_what_is_known(of_recording: RecordingRow, of_mp3: MixedAudioRow | None, reason: str) -> None:
    assert reason in (decide(of_recording, of_mp3, None, NOW).reason or "")


NEWER = mp3(ARCHIVED, updated_at=NEWER_VERSION)


@pytest.mark.parametrize(
    ("of_mp3", "findings", "reason"),
    [
        (mp3(ARCHIVED, fault="cut short"), ("newer_version_corrupt",), "cut short"),
        (mp3(ARCHIVED, fault="cut short", fetch_failure="503"), ("newer_version_corrupt",), "cut short"),
        (mp3(NEWER, fault="cut short", fetch_failure="503"), ("newer_version_failed",), "503"),
        (mp3(NEWER, fetch_failure="larger than RECALL_MAX_FILE_MB"), ("newer_version_failed",), "RECALL_MAX_FILE_MB"),
        (NEWER, ("newer_version_failed",), "not fetched yet"),
        (mp3(NEWER, has_url=False), ("newer_version_failed",), "no download is offered yet"),
        (mp3(NEWER, status_code="processing", has_url=False), (), None),
        (mp3(NEWER, status_code="failed", has_url=False), (), None),
        (mp3(ARCHIVED, status_code="deleted", has_url=False, fault="cut short"), (), None),
        (ARCHIVED, (), None),
    ],
)
def test_what_keeps_a_newer_version_away_is_a_finding(
    of_mp3: MixedAudioRow, findings: tuple[str, ...], reason: str | None
) -> None:
    verdict = decide(RECORDING, of_mp3, AudioColumns(), NOW)
    assert (verdict.outcome, verdict.findings) == ("ready", findings)
    assert (reason or "") in (verdict.reason or "")


def test_what_is_unfinished_for_a_day_is_overdue_and_nothing_else_is() -> None:
    overdue = decide(LONG_ENDED, made(updated_at=None, status_code="processing"), None, NOW)
    assert (overdue.outcome, overdue.findings) == ("failed_upstream", ("overdue",))
    assert decide(RECORDING, made(status_code="processing"), None, NOW).findings == ()
    assert decide(RECORDING, made(status_code="failed"), None, NOW).findings == ()


def test_findings_of_normalization_are_in_the_reason() -> None:
    assert decide(RECORDING, ARCHIVED, AudioColumns(finding="quieter than the target"), NOW).reason == (
        "quieter than the target"
    )


def test_only_what_a_new_version_or_a_person_opens_again_is_settled() -> None:
    assert {Outcome.FORGOTTEN, Outcome.READY, Outcome.SILENT, Outcome.CORRUPT} == SETTLED
