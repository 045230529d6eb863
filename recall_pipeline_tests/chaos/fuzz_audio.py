"""Fuzz the audio package with damaged MP3s and other audio files.

    python -m recall_pipeline_tests.chaos.fuzz_audio --tries 5000

Each try cuts, flips, splices, tags, repeats or fills real files, then decodes, inspects and normalizes the result.
The only allowed outcomes are plausible results and `NotAudio`. Everything else is a failure: a
crash, a hang of 20 s, over a gigabyte of additional address space, another exception or a failed assertion.
A failure ends the run with status 1 and prints the seed that reproduces it (`--first SEED --tries 1`).
"""

import argparse
import resource
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from recall_pipeline.audio import Target, decode_whole, inspect, normalize, run_tasks, segments
from recall_pipeline.errors import NotAudio
from recall_pipeline_tests.audio import wild_bytes as wild
from recall_pipeline_tests.audio.sounds import speech
from recall_sandbox.speech import Speech

BATCH = 50
_CONTAINERS = (
    ("wav", "pcm_s16le"),
    ("flac", "flac"),
    ("mp4", "aac"),
    ("webm", "libopus"),
    ("ogg", "libopus"),
    ("avi", "libmp3lame"),
    ("flv", "aac"),
    ("mpegts", "ac3"),
    ("eac3", "eac3"),
    ("adts", "aac"),
    ("mp2", "mp2"),
    ("wv", "wavpack"),
)
_HANG_SECONDS = 20
_MOST_BYTES = 1 << 30

Bytes = np.ndarray[tuple[int], np.dtype[np.uint8]]
Damage = Callable[[Bytes, np.random.Generator], Bytes]


@cache
def sources() -> tuple[Bytes, ...]:
    """Good files of several shapes, a few seconds each: MP3s, and other containers."""
    shapes = (
        Speech(seconds=4),
        Speech(seconds=3, channels=2, rate_hz=44100, bitrate_kbps=128),
        Speech(seconds=3, bitrate_kbps=None, title="weekly"),
        Speech(seconds=3, rate_hz=24000, has_length_header=False, gain_db=-25),
        Speech(seconds=2, clips=()),
    )
    bodies = [shape.body() for shape in shapes]
    bodies += [wild.mp3_copy(bodies[0]), bodies[1] + bodies[2], wild.meeting(2.0) + wild.ape(wild.png(20_000))]
    bodies += [wild.in_container(name, codec, speech(["risk"], 48000)) for name, codec in _CONTAINERS]
    return tuple(np.frombuffer(body, np.uint8) for body in bodies)


def _span(body: Bytes, rng: np.random.Generator) -> slice:
    start, end = sorted(rng.integers(0, body.size + 1, 2).tolist())
    return slice(start, min(end, start + body.size // 3))


def cut(body: Bytes, rng: np.random.Generator) -> Bytes:
    """Keep only a part."""
    start, end = sorted(rng.integers(0, body.size + 1, 2).tolist())
    return body[start:end]


def flip(body: Bytes, rng: np.random.Generator) -> Bytes:
    """Flip random bits."""
    damaged = body.copy()
    at = rng.integers(0, max(1, body.size), int(rng.integers(1, 200)) if body.size else 0)
    damaged[at] ^= (1 << rng.integers(0, 8, len(at))).astype(np.uint8)
    return damaged


def flip_head(body: Bytes, rng: np.random.Generator) -> Bytes:
    """Flip bits in the tags and headers."""
    return np.concatenate([flip(body[:200], rng), body[200:]])


def hole(body: Bytes, rng: np.random.Generator) -> Bytes:
    """Fill a part with zeros."""
    damaged = body.copy()
    damaged[_span(body, rng)] = 0
    return damaged


def junk(body: Bytes, rng: np.random.Generator) -> Bytes:
    """Insert random bytes."""
    at = int(rng.integers(0, body.size + 1))
    return np.concatenate([body[:at], rng.integers(0, 256, int(rng.integers(1, 5000)), np.uint8), body[at:]])


def splice(body: Bytes, rng: np.random.Generator) -> Bytes:
    """Insert a part of another MP3."""
    other = sources()[rng.integers(len(sources()))]
    at = int(rng.integers(0, body.size + 1))
    return np.concatenate([body[:at], other[_span(other, rng)], body[at:]])


def repeat(body: Bytes, rng: np.random.Generator) -> Bytes:
    """Have a part twice, as a download does that resumes at a wrong offset."""
    start, end = sorted(rng.integers(0, body.size + 1, 2).tolist())
    return np.concatenate([body[:end], body[start:]])


def tag(body: Bytes, rng: np.random.Generator) -> Bytes:
    """Put a tag or another file's head before it; half of the tags state a wrong size."""
    content = wild.jpeg(int(rng.integers(0, 30_000)))
    size = int(rng.integers(0, 1 << 20)) if rng.integers(2) else None
    heads = (wild.id3(content, size), wild.ape(content), content, bytes(len(content)), b"{", b"<", b"PK\x03\x04")
    return np.concatenate([np.frombuffer(heads[int(rng.integers(len(heads)))], np.uint8), body])


def tail(body: Bytes, rng: np.random.Generator) -> Bytes:
    """Put a tag, zeros or another file behind it."""
    other = sources()[rng.integers(len(sources()))].tobytes()
    tails = (wild.ape(wild.png(20_000)), wild.id3(wild.png(20_000)), bytes(20_000), b"TAG" + bytes(125), other)
    return np.concatenate([body, np.frombuffer(tails[int(rng.integers(len(tails)))], np.uint8)])


DAMAGES: Sequence[Damage] = (cut, flip, flip_head, hole, junk, splice, repeat, tag, tail)


def damaged(seed: int) -> bytes:
    """The damaged file of a seed."""
    rng = np.random.default_rng(seed)
    body = sources()[rng.integers(len(sources()))]
    for _ in range(int(rng.integers(1, 5))):
        body = DAMAGES[int(rng.integers(len(DAMAGES)))](body, rng)
    return body.tobytes()


def attempt(path: Path, target: Target) -> str:
    """Decode, inspect and normalize one file; return the outcome, or raise an unexpected error."""
    try:
        decoded = decode_whole(path)
    except NotAudio:
        return "not audio"
    found = inspect(path)
    result = normalize(path, path.with_suffix(".out"), target)
    seconds = sum(part.end_seconds - part.start_seconds for part in segments(path, 2.0))
    assert abs(found.duration_seconds - decoded.duration_seconds) < 1e-6, "decoded and inspection differ"
    assert abs(result.audio_samples / target.sample_rate_hz - decoded.duration_seconds) < 0.01, "length"
    assert decoded.format_changes or abs(seconds - decoded.duration_seconds) < 1e-3, "segments"
    peak_dbtp = result.audio_true_peak_dbtp
    assert peak_dbtp is None or peak_dbtp <= target.true_peak_dbtp, f"true peak {peak_dbtp}"
    off_lu = abs((result.audio_lufs or 0) - target.loudness_lufs)
    assert result.findings or off_lu < 0.3, f"loudness {result.audio_lufs}"
    is_off = decoded.header_seconds is not None and abs(decoded.header_seconds - decoded.decoded_seconds) > 0.2
    assert decoded.findings or not (is_off or decoded.bad_packets), "a loss without a finding"
    return "truncated" if decoded.is_truncated else "bad packets" if decoded.bad_packets else "whole"


def batch(seeds: range) -> Counter[str]:
    """Run some tries; forbidden outcomes start with an exclamation mark."""
    used_bytes = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used_bytes + _MOST_BYTES, resource.RLIM_INFINITY))
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.mp3")
        for seed in seeds:
            path.write_bytes(damaged(seed))
            signal.alarm(_HANG_SECONDS)  # kills the worker, which the pool reports
            try:
                outcomes[attempt(path, Target())] += 1
            except Exception as error:  # every other error is a finding
                outcomes[f"! seed {seed}: {type(error).__name__}: {error}"] += 1
            signal.alarm(0)
    return outcomes


def main() -> int:
    """Run the tries and print the outcomes; a dot for each finished batch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=5000)
    parser.add_argument("--first", type=int, default=0, help="seed of the first try")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    outcomes: Counter[str] = Counter()
    seeds = range(options.first, options.first + options.tries)
    batches = [seeds[start : start + BATCH] for start in range(0, len(seeds), BATCH)]
    for done in run_tasks(batch, batches, workers=options.workers):
        outcomes += done.result or Counter({f"! {done.task}: {done.error}": 1})
        print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    for outcome, count in sorted(outcomes.items()):
        print(f"{count:6}  {outcome}")
    return int(any(outcome.startswith("!") for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
