"""Load time of the code location, compared with an empty one: `python -m benchmarks.loading [--runs 9] [--json]`.

Each load is a process of its own: interpreter, Dagster, the definitions and all that they hold. The two take turns,
and the ratio is that of neighbours.
"""

import argparse
import json
import statistics
import subprocess
import sys

_LOAD = """
import resource
{defs}
defs.get_repository_def().load_all_definitions()
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime)
"""
_EMPTY = _LOAD.format(defs="import dagster; defs = dagster.Definitions()")
_OURS = _LOAD.format(defs="from recall_pipeline.definitions import defs")


def main() -> None:
    """Load both in turn and print CPU seconds and their ratio, or one line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loading", description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    cpu_seconds(_EMPTY), cpu_seconds(_OURS)  # once for what the disk has to bring
    pairs = [(cpu_seconds(_EMPTY), cpu_seconds(_OURS)) for _ in range(options.runs)]
    empty, ours = (statistics.median(each) for each in zip(*pairs, strict=True))
    ratios = [ours_once / empty_once for empty_once, ours_once in pairs]
    told = {"empty_cpu_seconds": empty, "ours_cpu_seconds": ours, "ratio": statistics.median(ratios)}
    if options.json:
        print(json.dumps(told))
    else:
        print(f"an empty location {empty:.2f} s of CPU, ours {ours:.2f} s")
        print(f"{told['ratio']:.2f} times (from {min(ratios):.2f} to {max(ratios):.2f}, {options.runs} pairs)")


def cpu_seconds(code: str) -> float:
    """Return the CPU seconds of a process that loads definitions and ends."""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603
    return float(done.stdout)


if __name__ == "__main__":
    main()
