"""What is known of a file once it was heard: plain, frozen, small enough to send to a process."""

from dataclasses import dataclass

WHOLE = 0.98
"""A file that decodes to less of what its own header promises is cut (docs/design/interface.md, section 4, row 3)."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What one decode proves.

    `magic` says what the first bytes look like, whatever the name. `header_seconds` is what the
    file itself promises, None where it promises nothing (an MP3 without a Xing or VBRI frame).
    `bad_packets` are those the decoder refused; `format_changes` counts changes of sample rate
    or channels on the way, of which rate and channels name the longest lived.
    """

    magic: str
    codec: str
    sample_rate_hz: int
    channels: int
    bitrate_bps: int | None
    header_seconds: float | None
    duration_seconds: float
    bad_packets: int
    format_changes: int

    @property
    def is_truncated(self) -> bool:
        """Whether it decodes to under 98% of the time its own header promises."""
        return self.header_seconds is not None and (self.duration_seconds < WHOLE * self.header_seconds)


@dataclass(frozen=True, slots=True)
class Inspection(Proof):
    """A proof, and what can be heard.

    Loudness is EBU R 128 over the file's own channels; it does not exist (None) when nothing
    lies above -70 LUFS or the file is shorter than 0.4 s. `loudness_range_lu` is EBU Tech 3342,
    `true_peak_dbtp` ITU-R BS.1770-4 annex 2. `silences` are (start, end) in seconds,
    `waveform` 60 sample peaks from 0 to 1.
    """

    loudness_lufs: float | None
    loudness_range_lu: float | None
    true_peak_dbtp: float | None
    silences: tuple[tuple[float, float], ...]
    speech_ratio: float
    waveform: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Normalized:
    """A normalized file, as it was found by decoding it again, and the source it came from.

    Source loudness is taken over the source's own channels at the output's sample rate.
    `gain_db` is what was applied before limiting, `limiter_depth_db` the deepest limiting
    (0 without a limiter). `findings` name everything that is not as the target asks.
    """

    proof: Proof
    source_lufs: float | None
    source_true_peak_dbtp: float | None
    loudness_range_lu: float | None
    speech_ratio: float
    silences: tuple[tuple[float, float], ...]
    waveform: tuple[float, ...]
    is_silent: bool
    audio_format: str
    audio_sample_rate_hz: int
    audio_channels: int
    audio_samples: int
    audio_bytes: int
    audio_sha256: str
    audio_lufs: float | None
    audio_true_peak_dbtp: float | None
    gain_db: float
    limiter_depth_db: float
    findings: tuple[str, ...]

    @property
    def duration_seconds(self) -> float:
        """Decoded length of the source."""
        return self.proof.duration_seconds
