"""Compare decoding with ffmpeg's on files of your own: `python -m benchmarks.corpus FOLDER [--json]`.

Decodes every file below FOLDER by `inspect` and by the ffmpeg of `make bench`. The table has one line per
type of file: how many, on how many both agree that it is audio or not, whose lengths are equal to the
sample, and whose loudness agrees within 0.1 LU. Below it, every file with a difference is listed.
"""

import argparse
import dataclasses
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from recall_pipeline.audio import Inspection, inspect
from recall_pipeline.audio.file_type import magic
from recall_pipeline.errors import NotAudio

_LOUDNESS = re.compile(r"I:\s+(-?[\d.]+) LUFS")
_SAME_LU = 0.1
_SILENCE_LUFS = -70.0
_SAMPLE_BYTES = 4
_COMPARED = ("same_verdict", "same_length", "same_loudness")


@dataclass(frozen=True)
class Decoded:
    """Samples per channel, and loudness in LUFS, of what a program decoded; None if it found no audio."""

    samples: int
    lufs: float


@dataclass(frozen=True)
class Comparison:
    """One file, decoded twice. `verdict` is `whole`, `truncated` or `not audio`; `note` states findings."""

    name: str
    type: str
    verdict: str
    ours: Decoded | None
    ffmpeg: Decoded | None
    note: str

    @property
    def same_verdict(self) -> bool:
        """Whether both found audio, or neither did."""
        return (self.ours is None) == (self.ffmpeg is None)

    @property
    def same_length(self) -> bool:
        """Whether both decoded as many samples."""
        return self.ours is not None and self.ffmpeg is not None and self.ours.samples == self.ffmpeg.samples

    @property
    def same_loudness(self) -> bool:
        """Whether both measured the same loudness."""
        return self.ours is not None and self.ffmpeg is not None and abs(self.ours.lufs - self.ffmpeg.lufs) <= _SAME_LU

    @property
    def has_difference(self) -> bool:
        """Whether anything differs."""
        both = self.ours is not None and self.ffmpeg is not None
        return not self.same_verdict or (both and not (self.same_length and self.same_loudness))


def compare(path: Path, ffmpeg: str) -> Comparison:
    """Decode one file by both."""
    try:
        found = inspect(path)
    except NotAudio as error:
        return Comparison(path.name, magic(path), "not audio", None, by_ffmpeg(path, ffmpeg), str(error))
    notes = "; ".join(finding.words for finding in found.findings)
    verdict = "truncated" if found.is_truncated else "whole"
    return Comparison(path.name, found.codec, verdict, _of_inspection(found), by_ffmpeg(path, ffmpeg), notes)


def _of_inspection(found: Inspection) -> Decoded:
    lufs = _SILENCE_LUFS if found.loudness_lufs is None else found.loudness_lufs
    return Decoded(round(found.duration_seconds * found.sample_rate_hz), lufs)


def by_ffmpeg(path: Path, ffmpeg: str) -> Decoded | None:
    """Return what the program decodes; None if it finds no audio."""
    command = [ffmpeg, "-hide_banner", "-nostdin", "-i", str(path), "-filter_complex", "[0:a:0]ebur128[out]"]
    command += ["-map", "[out]", "-ac", "1", "-c:a", "pcm_f32le", "-f", "f32le", "pipe:1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # noqa: S603
    output, errors = process.communicate()
    loudness = _LOUDNESS.findall(errors.decode(errors="replace"))
    if not output or not loudness:
        return None
    return Decoded(len(output) // _SAMPLE_BYTES, max(_SILENCE_LUFS, float(loudness[-1])))


def table(found: Iterable[Comparison]) -> Iterator[str]:
    """Yield the comparisons as a Markdown table with a line per type, and a line per difference."""
    comparisons = sorted(found, key=lambda one: (one.type, one.name))
    yield "| type | files | same verdict | both decode | same length | same loudness |"
    yield "|---|---|---|---|---|---|"
    for kind, group in groupby(comparisons, key=lambda one: one.type):
        yield _line(kind, list(group))
    yield _line("all", comparisons)
    yield ""
    for one in comparisons:
        if one.has_difference:
            decoded = f"ours {_words(one.ours)}, ffmpeg {_words(one.ffmpeg)}"
            yield f"- {one.name} ({one.type}): {one.verdict}, {decoded}. {one.note}"


def _line(kind: str, group: list[Comparison]) -> str:
    both = sum(one.ours is not None and one.ffmpeg is not None for one in group)
    verdicts, *same = (sum(getattr(one, name) for one in group) for name in _COMPARED)
    return f"| {kind} | {len(group)} | {verdicts} | {both} | {' | '.join(map(str, same))} |"


def _words(decoded: Decoded | None) -> str:
    return "no audio" if decoded is None else f"{decoded.samples} samples at {decoded.lufs:.1f} LUFS"


def main() -> int:
    """Compare all files of a folder; the exit status is 1 if any differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--json", action="store_true", help="print one JSON object per file")
    options = parser.parse_args()
    import imageio_ffmpeg  # type: ignore[import-untyped, unused-ignore]

    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    found = []
    for path in sorted(path for path in options.folder.rglob("*") if path.is_file()):
        found.append(compare(path, ffmpeg))
        print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    lines = (json.dumps(dataclasses.asdict(one)) for one in found) if options.json else table(found)
    print("\n".join(lines))
    return int(any(one.has_difference for one in found))


if __name__ == "__main__":
    sys.exit(main())
