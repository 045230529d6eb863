"""A plan contains the requested ids, and a bot is erased with the last of its recordings."""

from datetime import date

import pytest

from recall_pipeline.erasure.inventory import Inventory, RecordingLocation
from recall_pipeline.erasure.plan import ErasureIds, plan_for_bot, plan_for_recording
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


def test_an_unknown_id_is_refused() -> None:
    with pytest.raises(UsageError, match="recording unknown is not in the archive"):
        plan_for_recording(INVENTORY, "unknown")
    with pytest.raises(UsageError, match="bot unknown is not in the archive"):
        plan_for_bot(INVENTORY, "unknown")
