"""A wish concerns what it names, and a bot goes with the last of its recordings."""

from datetime import date

import pytest

from recall_pipeline.erasure import Inventory
from recall_pipeline.erasure.inventory import RecordingLocation
from recall_pipeline.erasure.plan import Ids, all_before, of_bot, of_recording
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


def ids(*recordings: str, bots: tuple[str, ...] = ()) -> Ids:
    return Ids(frozenset(recordings), frozenset(bots))


def test_a_recordings_bot_stays_while_it_has_another() -> None:
    assert of_recording(INVENTORY, "first").days == {MONDAY: ids("first")}


def test_a_recordings_bot_goes_with_its_last_on_the_day_it_is_filed_under() -> None:
    assert of_recording(INVENTORY, "other").days == {SUNDAY: ids(bots=("other bot",)), MONDAY: ids("other")}
    left = Inventory(INVENTORY.recordings, INVENTORY.bots, frozenset({"first"}))
    assert of_recording(left, "after midnight").days == {MONDAY: ids(bots=("bot",)), TUESDAY: ids("after midnight")}


def test_a_recording_without_a_bot_goes_alone() -> None:
    assert of_recording(INVENTORY, "of the desktop").days == {MONDAY: ids("of the desktop")}


def test_a_bot_goes_with_all_its_recordings() -> None:
    plan = of_bot(INVENTORY, "bot")
    assert plan.days == {MONDAY: ids("first", bots=("bot",)), TUESDAY: ids("after midnight")}
    assert (plan.recordings, plan.bots) == (2, 1)


def test_by_age_whole_days_go_with_the_bots_that_nothing_newer_needs() -> None:
    assert all_before(INVENTORY, MONDAY).days == {SUNDAY: ids(bots=("bot without a recording",))}
    assert all_before(INVENTORY, TUESDAY).days == {
        SUNDAY: ids(bots=("bot without a recording", "other bot")),
        MONDAY: ids("first", "other", "of the desktop"),
    }


def test_what_is_forgotten_already_is_not_planned_by_age() -> None:
    let_go = frozenset({"first", "other", "of the desktop", "other bot", "bot without a recording"})
    assert all_before(Inventory(INVENTORY.recordings, INVENTORY.bots, let_go), TUESDAY).days == {}


def test_what_is_not_on_file_is_said_to_be_so() -> None:
    with pytest.raises(UsageError, match="recording nobody's is not in the archive"):
        of_recording(INVENTORY, "nobody's")
    with pytest.raises(UsageError, match="bot nobody's is not in the archive"):
        of_bot(INVENTORY, "nobody's")
