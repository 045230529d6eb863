"""Load time of the code location, compared with an empty one: `python -m benchmarks.loading [--runs 9] [--json]`.

With `--archives 5` it compares a `dg` project of five archives with a project of one. Each load is a process of its
own: interpreter, Dagster, the definitions and all that they hold. The two take turns, and the ratio is that of
neighbours.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

_LOAD = """
import resource
{defs}
defs.get_repository_def().load_all_definitions()
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime)
"""
_EMPTY = _LOAD.format(defs="import dagster; defs = dagster.Definitions()")
_OURS = _LOAD.format(defs="from recall_pipeline.definitions import defs")
_PROJECT = _LOAD.format(
    defs="import sys, dagster; sys.path.insert(0, {src!r}); "
    "defs = dagster.load_from_defs_folder(path_within_project=__import__('pathlib').Path({src!r}))"
)
_PYPROJECT = """\
[tool.dg]
directory_type = "project"
[tool.dg.project]
root_module = "{module}"
"""
_ARCHIVE = """\
type: recall_pipeline.RecallArchiveComponent
attributes: {{name: archive_{number}, api_key: a-key, storage_url: data/{number}}}
"""


def main() -> None:
    """Load both in turn and print CPU seconds and their ratio, or one line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loading", description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--archives", type=int, help="compare a project of so many archives with one of one")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.archives is None:
        compare(_EMPTY, _OURS, ("an empty location", "ours"), options)
        return
    with tempfile.TemporaryDirectory() as folder:
        one, several = (project(Path(folder), count) for count in (1, options.archives))
        compare(one, several, ("one archive", f"{options.archives} archives"), options)


def compare(first: str, second: str, names: tuple[str, str], options: argparse.Namespace) -> None:
    """Load both in turn; print CPU seconds and the ratio of the second to the first."""
    cpu_seconds(first), cpu_seconds(second)  # once for what the disk has to bring
    pairs = [(cpu_seconds(first), cpu_seconds(second)) for _ in range(options.runs)]
    medians = [statistics.median(each) for each in zip(*pairs, strict=True)]
    ratios = [of_second / of_first for of_first, of_second in pairs]
    ratio = statistics.median(ratios)
    if options.json:
        keys = ("empty", "ours") if options.archives is None else ("one", "several")
        seconds = {f"{key}_cpu_seconds": median for key, median in zip(keys, medians, strict=True)}
        print(json.dumps({**seconds, "ratio": ratio}))
    else:
        print(f"{names[0]} {medians[0]:.2f} s of CPU, {names[1]} {medians[1]:.2f} s")
        print(f"{ratio:.2f} times (from {min(ratios):.2f} to {max(ratios):.2f}, {options.runs} pairs)")


def project(folder: Path, archives: int) -> str:
    """Write a project of `dg` with so many archives; return the code that loads it."""
    module = f"project_{archives}"
    source = folder / module / "src"
    for number in range(archives):
        of_archive = source / module / "defs" / str(number)
        of_archive.mkdir(parents=True)
        (of_archive / "defs.yaml").write_text(_ARCHIVE.format(number=number))
    for package in (source / module, source / module / "defs"):
        (package / "__init__.py").touch()
    (folder / module / "pyproject.toml").write_text(_PYPROJECT.format(module=module))
    return _PROJECT.format(src=str(source))


def cpu_seconds(code: str) -> float:
    """Return the CPU seconds of a process that loads definitions and ends."""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603
    return float(done.stdout)


if __name__ == "__main__":
    main()
