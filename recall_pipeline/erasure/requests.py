"""Plan what a request names."""

from datetime import date

from recall_pipeline.days import utc_now
from recall_pipeline.erasure.by_age import plan_before
from recall_pipeline.erasure.inventory import read_inventory_of
from recall_pipeline.erasure.plan import ErasurePlan, plan_for_bot, plan_for_recording
from recall_pipeline.errors import UsageError
from recall_pipeline.storage import Archive


def plan_for_request(
    archive: Archive, *, recording_id: str | None = None, bot_id: str | None = None, before: date | None = None
) -> ErasurePlan:
    """Return the plan for a request with exactly one of `recording_id`, `bot_id` and `before`.

    Leaves out ids that are already erased; such a plan may be empty. Raises UsageError for any other number of them,
    for an id that is not in the archive, and for a day in the future; TableUnreadable for an id that no readable table
    has, if a table cannot be read; StorageError if the storage does not answer.
    """
    match (recording_id, bot_id, before):
        case (str(), None, None):
            return plan_for_recording(read_inventory_of(archive, recording_id=recording_id), recording_id)
        case (None, str(), None):
            return plan_for_bot(read_inventory_of(archive, bot_id=bot_id), bot_id)
        case (None, None, date()):
            today = utc_now().date()
            if before > today:
                raise UsageError(f"before {before} is in the future: name a day up to today, {today} UTC")
            return plan_before(archive, before)
    raise UsageError("name what to forget: one of recording, bot and before")
