"""A bot whose recordings Recall removed before any sync is counted, and no other."""

from datetime import timedelta

import pytest

from recall_pipeline.days import ONE_DAY, end_of
from recall_pipeline.discovery import RECORDINGS, expired_bots
from recall_pipeline_tests.discovery.meetings import Workplace
from recall_pipeline_tests.workspace import DAY, an_id

EXPIRED = ("in_call_recording", "call_ended", "done", "media_expired")


@pytest.fixture(autouse=True)
def hides_expired(work: Workplace) -> None:
    work.sandbox.behaviour.hides_expired = True


def expired_ids(work: Workplace) -> list[str]:
    work.both()
    return expired_bots(RECORDINGS.facts(work.archive, DAY))


def test_a_bot_whose_media_expired_before_the_first_sync_is_found(work: Workplace) -> None:
    work.meet("standup", endings=EXPIRED, listed=False, gone=True)
    assert expired_ids(work) == [an_id("standup bot")]
    assert expired_ids(work) == [an_id("standup bot")]


@pytest.mark.parametrize("endings", [("call_ended", "done", "media_expired"), ("fatal",), EXPIRED[:-1]])
def test_a_bot_that_did_not_record_or_whose_media_did_not_expire_is_not_found(
    endings: tuple[str, ...], work: Workplace
) -> None:
    work.meet("standup", endings=endings, listed=False, embedded=False, gone=True)
    assert expired_ids(work) == []


def test_a_bot_whose_recording_is_still_listed_is_not_found(work: Workplace) -> None:
    work.meet("standup", endings=EXPIRED)
    assert expired_ids(work) == []


def test_a_bot_whose_recording_was_synced_before_is_not_found(work: Workplace) -> None:
    work.meet("standup")
    work.both()
    work.meet("standup", endings=EXPIRED, listed=False, gone=True)
    assert expired_ids(work) == []


def test_a_recording_after_midnight_keeps_its_bot_of_the_day_before(work: Workplace) -> None:
    at = end_of(DAY) + timedelta(minutes=1)
    work.meet("late", at, joins_at=end_of(DAY) - timedelta(minutes=2), endings=EXPIRED)
    work.recordings(DAY + ONE_DAY)
    assert expired_ids(work) == []
