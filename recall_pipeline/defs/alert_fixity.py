"""What the table `fixity` states about failures: damaged files, and files that were not read back in time."""

from datetime import datetime

from recall_pipeline.defs.alert_state import AlertState
from recall_pipeline.defs.fixity_asset import cycle_of
from recall_pipeline.errors import PipelineError
from recall_pipeline.fixity import read_state
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive
from recall_pipeline.verification import CODES, Code

_PREFIX = "fixity_"
_OF_ALL = f"{_PREFIX}cycle of all files"


def record_fixity(archive: Archive, settings: Settings, state: AlertState, now: datetime) -> None:
    """Record what fails at `now`, and remove what is over. Raises nothing for a broken archive."""
    try:
        found = read_state(archive, cycle_of(settings), now)
    except PipelineError as error:
        state.failed(_OF_ALL, str(error), now)
        return
    causes = {
        f"{_PREFIX}{file.code} of {day}": cause_of_damage(file.code)
        for day, files in found.damaged.items()
        for file in files
    }
    if found.overdue:
        causes[_OF_ALL] = _overdue_cause(settings)
    for thing in [thing for thing in state.failing if thing.startswith(_PREFIX) and thing not in causes]:
        state.passed(thing)
    for thing, cause in causes.items():
        state.failed(thing, cause, now)


def cause_of_damage(code: str) -> str:
    """Return the cause of an alert about damaged files: the same for every day, so that there is one message."""
    known = CODES.get(Code(code)) if code in set(Code) else None
    return f"fixity found {code}: {known.meaning} {known.cure}" if known else f"fixity found {code}: update this host"


def _overdue_cause(settings: Settings) -> str:
    return (
        f"files were not read back for {settings.fixity_cycle_days} days: see in Dagster why daily_fixity requests no "
        "runs, or why those of check_fixity fail or end before they have read their share; or raise RECALL_FIXITY_DAYS"
    )
