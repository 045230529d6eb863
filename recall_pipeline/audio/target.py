"""What a normalized file shall be, and the one line that names it."""

from dataclasses import dataclass
from typing import Literal, get_args

from recall_pipeline.errors import SettingsError

AudioFormat = Literal["flac", "mp3", "opus", "wav"]

ENGINE = "engine2"
"""Raised whenever the same source and target would give other samples than before."""

SAMPLE_RATES_HZ = (8000, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
OPUS_SAMPLE_RATES_HZ = (8000, 12000, 16000, 24000, 48000)


@dataclass(frozen=True, slots=True)
class Target:
    """Format, level and ceiling of a normalized file.

    `loudness_lufs` is integrated loudness (ITU-R BS.1770-4, EBU R 128), `true_peak_dbtp` the
    ceiling no true peak may pass, `limiter_max_db` how deep the limiter may ever press a peak.
    Raises SettingsError for a combination that no encoder takes.
    """

    format: AudioFormat = "flac"
    sample_rate_hz: int = 16000
    channels: int = 1
    loudness_lufs: float = -16.0
    true_peak_dbtp: float = -1.5
    limiter_max_db: float = 12.0

    def __post_init__(self) -> None:
        """Refuse now what would fail for every file later."""
        _refuse_unless(self.format in get_args(AudioFormat), "format", self.format, _FORMATS)
        rates = OPUS_SAMPLE_RATES_HZ if self.format == "opus" else SAMPLE_RATES_HZ
        _refuse_unless(self.sample_rate_hz in rates, "sample rate", self.sample_rate_hz, rates)
        _refuse_unless(self.channels in (1, 2), "channels", self.channels, (1, 2))
        for name, low, high in _RANGES:
            value = getattr(self, name)
            _refuse_unless(low <= value <= high, name, value, f"{low} to {high}")

    @property
    def is_lossless(self) -> bool:
        """Whether what is decoded is, sample for sample, what was encoded."""
        return self.format in ("flac", "wav")

    @property
    def recipe(self) -> str:
        """One line of everything that changes the output: another recipe, another file."""
        return (
            f"{self.format}/{self.sample_rate_hz}Hz/{self.channels}ch/{float(self.loudness_lufs)}LUFS"
            f"/{float(self.true_peak_dbtp)}dBTP/{float(self.limiter_max_db)}dB/{ENGINE}"
        )


_FORMATS = get_args(AudioFormat)
_RANGES = (
    ("loudness_lufs", -40.0, -5.0),
    ("true_peak_dbtp", -20.0, 0.0),
    ("limiter_max_db", 0.0, 40.0),
)


def _refuse_unless(fits: bool, name: str, value: object, allowed: object) -> None:
    if not fits:
        raise SettingsError(f"normalized audio: {name} {value} is not supported; use {allowed}")
