"""The target of normalization, and the recipe: one line that identifies it."""

from dataclasses import dataclass

from recall_pipeline.audio_formats import AUDIO_FORMATS, AudioFormat, sample_rates_hz
from recall_pipeline.errors import SettingsError

ENGINE = "engine3"
"""Version of the engine. It changes when the same source and target give other samples than before."""


@dataclass(frozen=True, slots=True)
class Target:
    """Format, loudness and true-peak ceiling of a normalized file.

    `loudness_lufs` is the integrated loudness (ITU-R BS.1770-4, EBU R 128). `true_peak_dbtp` is the
    ceiling for true peaks. `limiter_max_db` is the maximum gain reduction of the limiter.
    Raises SettingsError for a combination that no encoder supports.
    """

    format: AudioFormat = "flac"
    sample_rate_hz: int = 16000
    channels: int = 1
    loudness_lufs: float = -16.0
    true_peak_dbtp: float = -1.5
    limiter_max_db: float = 12.0

    def __post_init__(self) -> None:
        """Reject values that would fail for every file."""
        _refuse_unless(self.format in AUDIO_FORMATS, "format", self.format, AUDIO_FORMATS)
        rates = sample_rates_hz(self.format)
        _refuse_unless(self.sample_rate_hz in rates, "sample rate", self.sample_rate_hz, rates)
        _refuse_unless(self.channels in (1, 2), "channels", self.channels, (1, 2))
        for name, low, high in _RANGES:
            value = getattr(self, name)
            _refuse_unless(low <= value <= high, name, value, f"{low} to {high}")

    @property
    def is_lossless(self) -> bool:
        """Whether decoding returns exactly the samples that were encoded."""
        return self.format in ("flac", "wav")

    @property
    def recipe(self) -> str:
        """One line with everything that affects the output: the target, then the engine."""
        return f"{self.text}/{ENGINE}"

    def made(self, recipe: str | None) -> bool:
        """Whether a file with this recipe was made for this target, by an engine of any version."""
        return recipe is not None and recipe.rpartition("/")[0] == self.text

    @property
    def text(self) -> str:
        """The target in one line."""
        return (
            f"{self.format}/{self.sample_rate_hz}Hz/{self.channels}ch/{float(self.loudness_lufs)}LUFS"
            f"/{float(self.true_peak_dbtp)}dBTP/{float(self.limiter_max_db)}dB"
        )


_RANGES = (
    ("loudness_lufs", -40.0, -5.0),
    ("true_peak_dbtp", -20.0, 0.0),
    ("limiter_max_db", 0.0, 40.0),
)


def _refuse_unless(is_allowed: bool, name: str, value: object, allowed: object) -> None:
    if not is_allowed:
        raise SettingsError(f"normalized audio: {name} {value} is not supported; use {allowed}")
