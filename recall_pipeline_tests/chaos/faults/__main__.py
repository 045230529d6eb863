"""Run trials of all faults, some in parallel, and print the table for the docs."""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from recall_pipeline_tests.chaos.faults import FAULTS, Fault, Verdict, attempt


def main() -> int:
    """Run the selected trials, print a table or one line of JSON, and return 1 for any error."""
    parser = argparse.ArgumentParser(prog="python -m recall_pipeline_tests.chaos.faults", description=__doc__)
    parser.add_argument(
        "--only", metavar="TEXT", action="append", help="faults whose name contains this text; repeatable"
    )
    parser.add_argument("--times", type=int, default=1, help="trials per fault")
    parser.add_argument("--at-once", type=int, default=3, help="number of parallel trials")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    chosen = [fault for fault in FAULTS if any(text.lower() in fault.name.lower() for text in options.only or [""])]
    started = time.monotonic()
    verdicts = []
    for verdict in _verdicts(chosen, options.times, options.at_once):
        verdicts.append(verdict)
        if not options.json:
            _print(verdict)
    wrong = sum(bool(verdict.wrong) for verdict in verdicts)
    if options.json:
        print(json.dumps([verdict.as_json() for verdict in verdicts]))
    else:
        print(f"\n{_table(chosen, verdicts)}")
        minutes = (time.monotonic() - started) / 60
        print(f"\n{len(chosen)} faults, {len(verdicts)} trials, {wrong} wrong, {minutes:.1f} minutes.")
    return int(wrong > 0)


def _verdicts(faults: Sequence[Fault], times: int, at_once: int) -> Iterator[Verdict]:
    with tempfile.TemporaryDirectory(prefix="recall-faults-") as folder, ThreadPoolExecutor(at_once) as threads:
        folders = [Path(folder, f"{number}") for number in range(len(faults) * times)]
        yield from threads.map(attempt, [*faults] * times, folders)


def _print(verdict: Verdict) -> None:
    """Print the verdict of one trial."""
    print(f"{'WRONG' if verdict.wrong else 'ok':5} {verdict.seconds:6.1f} s  {verdict.fault}", flush=True)
    for line in verdict.wrong:
        print(f"        {line}", flush=True)


def _table(faults: Iterable[Fault], verdicts: Sequence[Verdict]) -> str:
    """Return the table for the docs: fault, number of trials, result, state after one more sync."""
    lines = ["| fault | tried | what happened | after one more sync |", "| --- | --- | --- | --- |"]
    for fault in faults:
        tried = [verdict for verdict in verdicts if verdict.fault == fault.name]
        good = sum(not verdict.wrong for verdict in tried)
        after = "complete, exact, single" if good == len(tried) else f"wrong {len(tried) - good} times"
        lines.append(f"| {fault.name} | {len(tried)} | {_summary(fault, tried)} | {after} |")
    return "\n".join(lines)


def _summary(fault: Fault, tried: Sequence[Verdict]) -> str:
    """Summarize how the syncs under the fault ended."""
    statuses = sorted({"hung" if verdict.status is None else str(verdict.status) for verdict in tried})
    slowest = max(verdict.seconds for verdict in tried)
    how = "ended well" if statuses == ["0"] else "killed" if "-9" in statuses else f"ended with {', '.join(statuses)}"
    if statuses == ["0"] and not fault.may_miss:
        how = "tolerated: complete at once"
    return f"{how}, {slowest:.0f} s"


if __name__ == "__main__":
    sys.exit(main())
