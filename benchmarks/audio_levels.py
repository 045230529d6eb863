"""Check the guarantees of `normalize` on many files: `python -m benchmarks.audio_levels [--clips FOLDER]`.

The sandbox's clips, or those of a folder, are cut and mixed at -40 to 0 dB, in mono, stereo and with
one dead channel, at 8 to 48 kHz. They are normalized to every format and measured with libavfilter and
soxr. The exit status is 1 if a file misses the target by more than 0.3 LU (0.5 for MP3 and Opus)
without a finding, or has a true peak above the ceiling.
"""

import argparse
import sys
import tempfile
from importlib.resources import files
from itertools import cycle, product
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from benchmarks.audio import lufs, true_peak_dbtp
from recall_pipeline.audio import Target, normalize
from recall_pipeline.audio_formats import AudioFormat

RATES_HZ = (8000, 11025, 16000, 22050, 32000, 44100, 48000)
SHAPES = ("mono", "stereo", "one dead channel")
LEVELS_DB = (-40.0, -30.0, -20.0, -10.0, 0.0)
FORMATS: tuple[AudioFormat, ...] = ("flac", "wav", "flac", "mp3", "flac", "opus")

Sound = npt.NDArray[np.float64]


def meeting(clips: list[Path], rate_hz: int, shape: str, seed: int) -> Sound:
    """Return overlapping and consecutive cuts of some clips, shape (frames, channels)."""
    rng = np.random.default_rng(seed)
    sound = np.zeros((12 * rate_hz, 1 if shape == "mono" else 2))
    for _ in range(6):
        clip, clip_hz = soundfile.read(str(clips[int(rng.integers(len(clips)))]), always_2d=True)
        clip = soxr.resample(clip.mean(axis=1), clip_hz, rate_hz)[: int(rng.integers(2, 6) * rate_hz)]
        at = int(rng.integers(0, len(sound) - len(clip) + 1))
        gains = 10 ** (rng.uniform(-10, 0, sound.shape[1]) / 20)
        sound[at : at + len(clip)] += clip[:, None] * gains
    if shape == "one dead channel":
        sound[:, 1] = 0
    return np.asarray(sound / np.abs(sound).max())


def main() -> int:
    """Normalize and measure 105 files, and print one line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=Path, default=Path(str(files("recall_sandbox") / "clips")))
    clips = sorted(path for path in parser.parse_args().clips.iterdir() if path.suffix in (".flac", ".wav"))
    failures = 0
    with tempfile.TemporaryDirectory() as name:
        source, output = Path(name, "in.wav"), Path(name, "out")
        cases = zip(product(RATES_HZ, SHAPES, LEVELS_DB), cycle(FORMATS), strict=False)
        for seed, ((rate_hz, shape, level_db), audio_format) in enumerate(cases):
            target = Target(format=audio_format)
            soundfile.write(source, meeting(clips, rate_hz, shape, seed) * 10 ** (level_db / 20), rate_hz, "FLOAT")
            result = normalize(source, output, target)
            deviation_lu, peak_dbtp = lufs(output) - target.loudness_lufs, true_peak_dbtp(output)
            allowed_lu = 0.3 if target.is_lossless else 0.5
            is_good = peak_dbtp <= target.true_peak_dbtp and (abs(deviation_lu) <= allowed_lu or bool(result.findings))
            failures += not is_good
            print(
                f"{'ok  ' if is_good else 'MISS'} {rate_hz:5} Hz {shape:16} {level_db:5.0f} dB {audio_format:4}"
                f" {deviation_lu:+.2f} LU {peak_dbtp:6.2f} dBTP {'; '.join(result.findings)}"
            )
    print(f"{failures} of {len(RATES_HZ) * len(SHAPES) * len(LEVELS_DB)} files missed")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
