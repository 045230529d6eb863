"""A year in an hour: `python -m recall_pipeline_tests.chaos.year [--days 365] [--meetings 5 40] [--seed N] [--json]`.

One clock for the pipeline, the sandbox and Dagster, which the script turns. Every day has meetings of all shapes; the
schedule and the sensors are ticked as Dagster would, and the runs that they request are executed in this process.
Every few days something breaks. Every Sunday and at the end, each recording that existed has to be archived exactly,
or to be named with the right reason; no MP3 may be fetched twice without a cause; no alert may stand that is over.
"""

import argparse
import contextlib
import dataclasses
import json
import logging
import random
import sys
import tempfile
from collections.abc import Iterator
from datetime import time
from pathlib import Path

from recall_pipeline_tests.chaos.simulation import Plan, Report, prepared
from recall_pipeline_tests.chaos.simulation.events import calendar, short_calendar

_DAYS, _MEETINGS = 365, (5, 40)


def main() -> int:
    """Pass the days, report, and return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m recall_pipeline_tests.chaos.year", description=__doc__)
    parser.add_argument("--days", type=int, default=_DAYS)
    parser.add_argument("--meetings", type=int, nargs=2, default=_MEETINGS, help="the fewest and the most a day")
    parser.add_argument("--seed", type=int, default=0, help="of the dice")
    parser.add_argument("--only", default="", help="only events whose name contains this text")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="recall-year-") as folder:
        plan = Plan(options.days, tuple(options.meetings), options.seed)
        report = pass_days(Path(folder), plan, only=options.only, verbose=not options.json)
    print(json.dumps(dataclasses.asdict(report)) if options.json else table_of(report))
    return int(any(report.wrong.values()))


def pass_days(folder: Path, plan: Plan, *, only: str = "", verbose: bool = False) -> Report:
    """Pass some days in an archive below `folder`; `only` selects events."""
    with prepared(folder, plan) as year, _silent_logs():
        events = calendar(year.days(), random.Random(plan.seed), only)  # noqa: S311 -- not for secrets
        return year.run(events, lambda line: print(line, flush=True) if verbose else None)


def pass_a_month(folder: Path) -> Report:
    """Pass 30 days of three meetings, with a few events and one tick of the sensor a day."""
    with prepared(folder, Plan(30, (3, 3), polls=(time(23, 58),))) as year, _silent_logs():
        return year.run(short_calendar(year.days()), lambda _: None)


@contextlib.contextmanager
def _silent_logs() -> Iterator[None]:
    """Log nothing: Dagster has a line for each tick."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def table_of(report: Report) -> str:
    """Return the report as a Markdown table, a line for each kind of event, and what was wrong after it."""
    rows = [
        f"| {name} | {times} | {len(report.wrong.get(name, [])) or 'nothing'} |"
        for name, times in sorted(report.events.items())
    ]
    counted = ", ".join(f"{count} {outcome}" for outcome, count in sorted(report.outcomes.items()))
    runs = ", ".join(f"{count} of {source}" for source, count in sorted(report.runs.items()))
    changes = ", ".join(f"{count} {change}" for change, count in report.changes.items())
    faults = [f"- after {event}: {fault}" for event, faults in report.wrong.items() for fault in faults]
    return "\n".join(
        [
            f"{report.days} days in {report.minutes} minutes: {changes}.",
            f"Recordings: {report.recordings}, {report.never_seen} of them gone before any sync saw them.",
            f"Rows: {counted}. Runs: {runs}. Most requests of a day: {report.most_requests}.",
            "",
            "| event | times | wrong afterwards |",
            "|---|---|---|",
            *rows,
            "",
            *faults,
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
