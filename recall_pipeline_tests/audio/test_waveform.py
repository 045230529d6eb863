"""A waveform has sixty peaks for any length."""

import numpy as np
import pytest

from recall_pipeline.audio.waveform import WaveformMeter


@pytest.mark.parametrize("blocks", [0, 1, 7, 60, 61, 1000])
def test_a_waveform_has_sixty_bars_between_zero_and_one(blocks: int) -> None:
    meter = WaveformMeter()
    for peak in np.linspace(0, 2, blocks):
        meter.feed(np.array([[0.0], [-peak]], dtype=np.float32))
    bars = meter.bars()
    assert len(bars) == 60
    assert min(bars) >= 0
    assert max(bars) == (1.0 if blocks > 1 else 0.0)


def test_the_highest_bar_is_where_the_loudest_audio_is() -> None:
    meter = WaveformMeter()
    for at in range(600):
        meter.feed(np.full((10, 1), 0.5 if at == 300 else 0.1, dtype=np.float32))
    assert np.argmax(meter.bars()) == 30
