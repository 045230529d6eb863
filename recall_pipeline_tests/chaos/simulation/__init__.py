"""A workspace, its archive and its Dagster deployment on one clock that the script turns.

Belongs here: the clock, the meetings and what becomes of them, Dagster's ticks and runs in this process, the events
that break something, and the comparison of the archive with what existed. Does not belong here: trials of one
process in real time (`trials`).
Comes in: a number of days, a range of meetings a day, a seed. Goes out: a report for docs/reliability.md.
"""

from recall_pipeline_tests.chaos.simulation.clock import TurnedClock
from recall_pipeline_tests.chaos.simulation.report import Report
from recall_pipeline_tests.chaos.simulation.year import Plan, Year, prepared

__all__ = ["Plan", "Report", "TurnedClock", "Year", "prepared"]
