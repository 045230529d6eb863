"""What the tables of the archive state about failures, whatever was run: once an hour, for all days.

A check or a run of a day that is over in the tables is over here too, although no run of the day reports it.
"""

import contextlib
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final

from recall_pipeline.catalog import DueDays, days_due, expiring_soon, failed_downloads_left
from recall_pipeline.days import day_of, utc_now
from recall_pipeline.defs.alert_fixity import record_fixity
from recall_pipeline.defs.alert_state import AlertState
from recall_pipeline.defs.check_tables import CheckTables
from recall_pipeline.defs.freshness import NOT_SYNCED
from recall_pipeline.defs.run_context import RunContext
from recall_pipeline.defs.table_checks import CHECKS, TableCheck
from recall_pipeline.discovery import RECORDINGS, Unknowns
from recall_pipeline.errors import PipelineError
from recall_pipeline.settings import Settings
from recall_pipeline.storage import check_identity

_CHECKS: Final = {check.name: check for checks in CHECKS.values() for check in checks}
_LEFT_FAILED, _EXPIRING = "none_left_failed", "none_about_to_expire"
_NEXT_ACTIONS: Final = {
    _LEFT_FAILED: failed_downloads_left([]).next_action,
    _EXPIRING: expiring_soon([], utc_now()).next_action,
}
"""The checks that the states of all days answer, with their advice, which is the same for every day."""
_CHECKED_AGAIN = 25  # failing checks whose day is read again at once, the longest unchecked first
_LAPSES_AFTER = timedelta(hours=48)  # two nightly ticks
_IS_NEW_FOR = timedelta(days=7)  # so a lost cursor repeats no older message, and the cursor stays small
_THE_ARCHIVE = "the archive"


def record_tables(settings: Settings, state: AlertState, now: datetime) -> DueDays | None:
    """Record the places in the tables that fail at `now`, and remove those that no longer do. Never raises.

    Returns the days that are due; None if the archive does not answer, which is recorded too.
    """
    context = RunContext(settings)
    try:
        check_identity(context.archive, settings)  # else schedule and sensor skip, and only their ticks state why
        due = days_due(context.archive, settings, now)
    except PipelineError as error:
        state.failed(_THE_ARCHIVE, str(error), now)
        return None
    state.passed(_THE_ARCHIVE)
    _record_states(state, due)
    record_fixity(context.archive, settings, state, now)
    state.set_notices(_new_names(context, due))
    for place, check, day in list(_failing_checks(state))[:_CHECKED_AGAIN]:
        _check_again(state, place, check, CheckTables(context, day), now)
    _remove_lapsed(state, due)
    return due


def _record_states(state: AlertState, due: DueDays) -> None:
    """Record the days with an unreadable table, with failed or expiring recordings, and those that were not synced."""
    late = set(due.late)
    for day, each in due.states.items():
        causes = {
            "the tables": each.fault,
            _LEFT_FAILED: cause_of(_LEFT_FAILED, _NEXT_ACTIONS[_LEFT_FAILED]) if each.failed else None,
            _EXPIRING: cause_of(_EXPIRING, _NEXT_ACTIONS[_EXPIRING]) if each.is_expiring(due.now) else None,
            "the sync": NOT_SYNCED if day in late else None,
        }
        for what, cause in causes.items():
            if cause:
                state.failed(f"{what} of {day}", cause, due.now)
            elif not each.fault:
                state.passed(f"{what} of {day}")


def _new_names(context: RunContext, due: DueDays) -> set[str]:
    """Return what Recall.ai sent for the first time in the last days, today's day included."""
    days = [each.first_seen for each in due.states.values()]
    with contextlib.suppress(PipelineError):  # an unreadable table is reported for itself, once its day is over
        days.append(Unknowns.of(RECORDINGS.facts(context.archive, day_of(due.now))).first_seen)
    return {name for seen in days for name, moment in seen.items() if due.now - moment <= _IS_NEW_FOR}


def cause_of(check: str, next_action: str) -> str:
    """Return the cause of a failed check: the same for every day, so that there is one message."""
    return f"check {check}: {next_action}"


def _failing_checks(state: AlertState) -> Iterator[tuple[str, TableCheck, date]]:
    """Yield the failing checks of days that only a run evaluates, the longest unchecked first."""
    for place in sorted(state.failing, key=lambda place: state.failing[place].at):
        check, day = _CHECKS.get(_failure_at(place)), _day_at(place)
        if check and day and check.name not in _NEXT_ACTIONS:
            yield place, check, day


def _check_again(state: AlertState, place: str, check: TableCheck, tables: CheckTables, now: datetime) -> None:
    try:
        finding = check.evaluate(tables)
    except PipelineError:  # an unreadable table is reported for itself
        state.lapse(place)
        return
    if finding.passed:
        state.passed(place)
    else:
        state.failed(place, cause_of(check.name, finding.next_action), now)


def _remove_lapsed(state: AlertState, due: DueDays) -> None:
    """Remove what failed on a day that is no longer the archive's, and steps and runs of days that are not due."""
    is_due, today = {each.day for each in due.days}, day_of(due.now)
    for place, failing in list(state.failing.items()):
        day, kind = _day_at(place), _failure_at(place)
        if day is None or day in is_due or day >= today:
            continue
        is_old = due.now - datetime.fromisoformat(failing.at) > _LAPSES_AFTER
        if is_old if day in due.states and kind not in _CHECKS else day not in due.states:
            state.lapse(place)


def _failure_at(place: str) -> str:
    """Return what of a day fails at a place."""
    return place.rpartition(" of ")[0]


def _day_at(place: str) -> date | None:
    """Return the day at the end of a place such as `the sync of 2026-03-02`; None for a place without one."""
    try:
        return date.fromisoformat(place.rpartition(" of ")[2])
    except ValueError:
        return None
