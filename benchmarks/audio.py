"""CPU, memory and accuracy of `normalize` and of alternatives: `python -m benchmarks.audio [--quick] [--json]`.

Every run is a process of its own, imports included, and the contestants take turns. The table shows
medians of CPU seconds (child processes included) and the maximum resident memory. Outputs are measured
with libavfilter's ebur128 and, for true peaks, with soxr at eight times the rate.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TypeVar

import av
import av.filter
import numpy as np
import soxr

from benchmarks.audio_inputs import make_recording
from recall_pipeline.audio.decoder import Decoder

T = TypeVar("T")

_TARGET_LUFS = -16.0


@dataclass(frozen=True, slots=True)
class Case:
    """One contestant on one input."""

    contestant: str
    format: str
    input: str
    seconds: int
    channels: int = 1
    max_runs: int = 99


@dataclass(slots=True)
class Result:
    """Measurements of all runs of a case."""

    cpu_seconds: list[float] = field(default_factory=list)
    peak_rss_mib: list[float] = field(default_factory=list)
    lufs: float | None = None
    true_peak_dbtp: float | None = None

    @property
    def median_cpu_seconds(self) -> float:
        """Median CPU seconds."""
        return statistics.median(self.cpu_seconds)


def cases(quick: bool) -> list[Case]:
    """Return the cases: half hours several times, long ones once."""
    half, hour = 1800, 3600
    long, longest = (hour, hour) if quick else (2 * hour, 8 * hour)
    return [
        *(Case(who, form, kind, half) for kind in _INPUTS for form in ("flac", "mp3") for who in _EACH_INPUT),
        *(
            Case("ffmpeg-normalize", "flac", kind, half, max_runs=1 if quick else 3)
            for kind in (_INPUTS[:1] if quick else _INPUTS)
        ),
        Case("pydub", "flac", "uneven", half),
        Case("pydub", "flac", "uneven", hour, max_runs=1),
        Case("ours", "flac", "uneven", long, max_runs=1),
        Case("ours", "flac", "uneven", hour, 2, max_runs=1),
        *([] if quick else [Case("ours", "flac", "uneven", longest, 2, max_runs=1)]),
    ]


_EACH_INPUT = ("floor", "ours", "sync")
_INPUTS = ("uneven", "even")


def run(case: Case, folder: Path, source: Path, result: Result) -> None:
    """Run a case once in a process of its own and add its measurements to `result`."""
    output = folder / f"{case.contestant}-{case.input}-{case.seconds}-{case.channels}.{case.format}"
    command = [sys.executable, "-m", "benchmarks.audio_contestants", case.contestant, str(source), str(output)]
    process = subprocess.Popen(command, env=os.environ | {"OPENBLAS_NUM_THREADS": "1"})  # noqa: S603  # its own file
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{case.contestant} failed on {source.name}")
    result.cpu_seconds.append(usage.ru_utime + usage.ru_stime)
    result.peak_rss_mib.append(usage.ru_maxrss / 1024)
    if result.lufs is None and case.contestant != "floor" and case.seconds <= 3600:
        result.lufs, result.true_peak_dbtp = in_process(lufs, output), in_process(true_peak_dbtp, output)
    output.unlink()


def in_process(function: Callable[..., T], *arguments: object) -> T:
    """Call in a spawned process: a forked child would count its parent's memory as its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def lufs(path: Path) -> float:
    """Return the integrated loudness in LUFS, measured by libavfilter."""
    graph, found = av.filter.Graph(), float("-inf")
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        source, sink = graph.add_abuffer(template=stream), graph.add("abuffersink")
        graph.link_nodes(source, graph.add("ebur128", "metadata=1"), sink).configure()
        for frame in chain(container.decode(stream), [None]):
            source.push(frame)
            for out in _ready(sink):
                found = float(out.metadata.get("lavfi.r128.I", found))
    return found


def _ready(sink: av.filter.context.FilterContext) -> Iterator[av.AudioFrame]:
    while True:
        try:
            yield sink.pull()  # type: ignore[misc]
        except (av.BlockingIOError, EOFError):
            return


def true_peak_dbtp(path: Path) -> float:
    """Return the true peak in dBTP, measured by soxr's best resampler at eight times the rate."""
    dense = soxr.ResampleStream(1, 8, 1, "float32", "VHQ")
    peak = 0.0
    for block in Decoder(path).blocks():
        peak = max(peak, float(np.abs(dense.resample_chunk(block.samples[:, 0].copy())).max(initial=0)))
    peak = max(peak, float(np.abs(dense.resample_chunk(np.zeros(0, np.float32), last=True)).max(initial=0)))
    return 20 * float(np.log10(peak))


def measure(quick: bool, runs: int) -> dict[Case, Result]:
    """Run every case; the contestants take turns."""
    results: dict[Case, Result] = defaultdict(Result)
    with tempfile.TemporaryDirectory() as name:
        sources: dict[tuple[str, int, int], Path] = {}
        for number in range(runs):
            for case in cases(quick):
                if number < case.max_runs:
                    shape = (case.input, case.seconds, case.channels)
                    if shape not in sources:
                        sources[shape] = in_process(make_recording, Path(name), *shape)
                    run(case, Path(name), sources[shape], results[case])
                    print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return results


def table(results: dict[Case, Result]) -> Iterator[str]:
    """Yield the results as lines of a Markdown table."""
    yield "| input | contestant | output | CPU s | x floor | x real time a core | peak RSS MiB | off target LU | dBTP |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for case, result in results.items():
        base = results.get(Case("floor", case.format, case.input, case.seconds, case.channels))
        ratio = f"{result.median_cpu_seconds / base.median_cpu_seconds:.2f}" if base else ""
        off = f"{result.lufs - _TARGET_LUFS:+.2f}" if result.lufs is not None else ""
        peak = f"{result.true_peak_dbtp:.2f}" if result.true_peak_dbtp is not None else ""
        length = f"{case.seconds // 60} min {'stereo' if case.channels == 2 else 'mono'}, {case.input}"
        yield (
            f"| {length} | {case.contestant} | {case.format} | {result.median_cpu_seconds:.1f} | {ratio} | "
            f"{case.seconds / result.median_cpu_seconds:.0f} | {max(result.peak_rss_mib):.0f} | {off} | {peak} |"
        )


def summary(results: dict[Case, Result], quick: bool) -> dict[str, float]:
    """Return the figures that are tracked over time."""

    def of(who: str, form: str, kind: str, seconds: int = 1800, channels: int = 1) -> Result:
        return next(
            result
            for case, result in results.items()
            if (case.contestant, case.format, case.input, case.seconds, case.channels)
            == (who, form, kind, seconds, channels)
        )

    ours = [result for case, result in results.items() if case.contestant == "ours"]
    flac = of("ours", "flac", "uneven")
    figures = {
        "cpu_ratio_vs_ffmpeg_normalize": of("ffmpeg-normalize", "flac", "uneven").median_cpu_seconds
        / flac.median_cpu_seconds,
        "fraction_of_floor": of("floor", "flac", "even").median_cpu_seconds
        / of("ours", "flac", "even").median_cpu_seconds,
        "fraction_of_floor_limited": of("floor", "flac", "uneven").median_cpu_seconds / flac.median_cpu_seconds,
        "fraction_of_floor_mp3": of("floor", "mp3", "even").median_cpu_seconds
        / of("ours", "mp3", "even").median_cpu_seconds,
        "sync_cpu_vs_floor": of("sync", "flac", "even").median_cpu_seconds
        / of("floor", "flac", "even").median_cpu_seconds,
        "sync_cpu_vs_floor_limited": of("sync", "flac", "uneven").median_cpu_seconds
        / of("floor", "flac", "uneven").median_cpu_seconds,
        "peak_rss_mib_long": max(of("ours", "flac", "uneven", 3600 if quick else 28800, 2).peak_rss_mib),
        "peak_rss_mib_1h": max(of("ours", "flac", "uneven", 3600, 2).peak_rss_mib),
        "peak_rss_mib_pydub_1h": max(of("pydub", "flac", "uneven", 3600).peak_rss_mib),
        "loudness_error_lu": max(abs(result.lufs - _TARGET_LUFS) for result in ours if result.lufs is not None),
        "true_peak_dbtp": max(result.true_peak_dbtp for result in ours if result.true_peak_dbtp is not None),
    }
    return {name: round(value, 3) for name, value in figures.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="no input longer than an hour; takes under ten minutes")
    parser.add_argument("--json", action="store_true", help="print the tracked figures as one line of JSON")
    parser.add_argument("--runs", type=int, help="runs per half-hour case; default 5, with --quick 3")
    options = parser.parse_args()
    results = measure(options.quick, options.runs or (3 if options.quick else 5))
    if options.json:
        print(json.dumps(summary(results, options.quick)))
    else:
        print("\n".join(table(results)))


if __name__ == "__main__":
    main()
