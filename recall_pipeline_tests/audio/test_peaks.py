"""The peaks of a normalized file show its output: the lowest and highest sample of up to 2,000 equal spans."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from recall_pipeline.audio import Target, normalize
from recall_pipeline.audio.decoder import Decoder, Samples
from recall_pipeline.audio.peaks import PeakMeter
from recall_pipeline_tests.audio.sounds import tone, write_wav


def in_parts(samples: Samples, *sizes: int) -> Iterator[Samples]:
    start = 0
    for size in (*sizes, len(samples)):
        if start < len(samples):
            yield samples[start : start + size]
        start += size


def measured(samples: Samples, rate_hz: int, *sizes: int) -> PeakMeter:
    meter = PeakMeter(len(samples), rate_hz)
    for _ in meter.measured(in_parts(samples, *sizes)):
        pass
    return meter


@pytest.mark.parametrize("frames", [1, 159, 160, 161, 320_000, 320_001, 500_003])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("sizes", [(), (1,), (160, 7, 12_345), (134_400,)])
def test_each_pair_is_the_lowest_and_highest_sample_of_its_span(
    frames: int, channels: int, sizes: tuple[int, ...]
) -> None:
    samples = np.random.default_rng(frames).uniform(-1.2, 1.2, (frames, channels)).astype(np.float32)
    peaks = measured(samples, 16_000, *sizes).peaks()
    span = round(peaks.peak_seconds * 16_000)
    spans = [samples[start : start + span] for start in range(0, frames, span)]
    assert len(spans) <= 2000
    assert span >= 160
    assert list(peaks.minima) == [int(np.rint(np.clip(each.min(), -1, 1) * 127)) for each in spans]
    assert list(peaks.maxima) == [int(np.rint(np.clip(each.max(), -1, 1) * 127)) for each in spans]


@pytest.mark.parametrize("audio_format", ["flac", "mp3", "opus", "wav"])
def test_the_peaks_are_those_of_the_file_that_was_written(audio_format: str, tmp_path: Path) -> None:
    swelling = tone(-3, 3, 16_000, 300) * np.linspace(0, 1, 48_000)[:, None] ** 2
    source = write_wav(tmp_path / "source.wav", np.concatenate([swelling, np.zeros((16_000, 2))]), 16_000)
    target = Target(format=audio_format, channels=2)  # type: ignore[arg-type]
    output = tmp_path / f"output.{audio_format}"
    peaks = normalize(source, output, target).peaks
    blocks = list(Decoder(output).blocks())
    decoded = np.concatenate([block.samples for block in blocks])
    span = round(peaks.peak_seconds * blocks[0].sample_rate_hz)
    assert len(peaks.minima) == len(peaks.maxima) == -(-len(decoded) // span)
    tolerance = 1 if audio_format in ("flac", "wav") else 10
    for number, (low, high) in enumerate(zip(peaks.minima, peaks.maxima, strict=True)):
        part = decoded[number * span : (number + 1) * span]
        assert low == pytest.approx(127 * part.min(), abs=tolerance)
        assert high == pytest.approx(127 * part.max(), abs=tolerance)
