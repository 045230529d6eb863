"""Formats and sample rates of normalized audio, for `settings` and `audio`. Cheap to import, for workers."""

from typing import Literal, get_args

AudioFormat = Literal["flac", "mp3", "opus", "wav"]
AUDIO_FORMATS: tuple[AudioFormat, ...] = get_args(AudioFormat)

SAMPLE_RATES_HZ = (8000, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
OPUS_SAMPLE_RATES_HZ = (8000, 12000, 16000, 24000, 48000)


def sample_rates_hz(audio_format: AudioFormat) -> tuple[int, ...]:
    """Return the sample rates in Hz that a format can have."""
    return OPUS_SAMPLE_RATES_HZ if audio_format == "opus" else SAMPLE_RATES_HZ
