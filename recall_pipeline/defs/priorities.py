"""Run priorities: what is new runs before the nightly rest, and both before a backfill, whose runs have priority 0.

`sync` has none: it executes its runs in its own process, and never queues them.
"""

from typing import Final

PRIORITY: Final = "dagster/priority"
"""The tag that Dagster's run queue orders by, the highest number first."""

SENSOR_PRIORITY: Final = {PRIORITY: "20"}
"""Tags of runs for what has just changed at Recall or in the catalog."""

SCHEDULE_PRIORITY: Final = {PRIORITY: "10"}
"""Tags of runs that a schedule requests."""
