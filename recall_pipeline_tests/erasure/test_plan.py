"""A plan contains the requested ids, and a bot is erased with the last of its recordings."""

from datetime import date

import pytest

from recall_pipeline.erasure import Inventory
from recall_pipeline.erasure.inventory import RecordingLocation
from recall_pipeline.erasure.plan import ErasureIds, plan_before, plan_for_bot, plan_for_recording
from recall_pipeline.errors import UsageError

SUNDAY, MONDAY, TUESDAY = date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 3)
INVENTORY = Inventory(
    recordings={
        "first": RecordingLocation(MONDAY, "bot"),
        "after midnight": RecordingLocation(TUESDAY, "bot"),
        "other": RecordingLocation(MONDAY, "other bot"),
        "of the desktop": RecordingLocation(MONDAY, None),
    },
    bots={"bot": MONDAY, "other bot": SUNDAY, "bot without a recording": SUNDAY},
    forgotten=frozenset(),
)


def ids(*recordings: str, bots: tuple[str, ...] = ()) -> ErasureIds:
    return ErasureIds(frozenset(recordings), frozenset(bots))


def test_a_bot_with_another_recording_is_kept() -> None:
    assert plan_for_recording(INVENTORY, "first").days == {MONDAY: ids("first")}


def test_a_bot_is_erased_with_its_last_recording_on_the_day_of_the_bot() -> None:
    assert plan_for_recording(INVENTORY, "other").days == {SUNDAY: ids(bots=("other bot",)), MONDAY: ids("other")}
    left = Inventory(INVENTORY.recordings, INVENTORY.bots, frozenset({"first"}))
    assert plan_for_recording(left, "after midnight").days == {
        MONDAY: ids(bots=("bot",)),
        TUESDAY: ids("after midnight"),
    }


def test_a_recording_without_a_bot_is_erased_alone() -> None:
    assert plan_for_recording(INVENTORY, "of the desktop").days == {MONDAY: ids("of the desktop")}


def test_a_bot_is_erased_with_all_its_recordings() -> None:
    plan = plan_for_bot(INVENTORY, "bot")
    assert plan.days == {MONDAY: ids("first", bots=("bot",)), TUESDAY: ids("after midnight")}
    assert (plan.recordings, plan.bots) == (2, 1)


def test_by_age_whole_days_are_erased_with_the_bots_that_have_no_newer_recording() -> None:
    assert plan_before(INVENTORY, MONDAY).days == {SUNDAY: ids(bots=("bot without a recording",))}
    assert plan_before(INVENTORY, TUESDAY).days == {
        SUNDAY: ids(bots=("bot without a recording", "other bot")),
        MONDAY: ids("first", "other", "of the desktop"),
    }


def test_by_age_erased_ids_are_not_planned_again() -> None:
    erased = frozenset({"first", "other", "of the desktop", "other bot", "bot without a recording"})
    assert plan_before(Inventory(INVENTORY.recordings, INVENTORY.bots, erased), TUESDAY).days == {}


def test_an_unknown_id_is_refused() -> None:
    with pytest.raises(UsageError, match="recording unknown is not in the archive"):
        plan_for_recording(INVENTORY, "unknown")
    with pytest.raises(UsageError, match="bot unknown is not in the archive"):
        plan_for_bot(INVENTORY, "unknown")
