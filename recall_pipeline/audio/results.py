"""Result dataclasses of decoding and normalization: frozen, picklable, small."""

from array import array
from dataclasses import dataclass

from recall_pipeline.audio.findings import AudioFinding

MIN_DECODED_SHARE = 0.98
"""A file that decodes to less of its header's duration is truncated (docs/design/interface.md, section 4, row 3)."""


MAX_MISSING_FRAMES = 3
"""A file that lacks no more frames than these is never truncated: headers are off by as many."""


@dataclass(frozen=True, slots=True)
class DecodeResult:
    """Counts of one decode of a whole file.

    `magic` names the file type by its first bytes, whatever the file's name. `header_seconds` is the
    duration that the file's own header states; None if it states none (an MP3 without a Xing or VBRI
    frame). `duration_seconds` includes `silent_seconds`: silence in place of damaged frames.
    `bad_packets` are those between good ones that the decoder rejected. `format_changes` counts
    changes of sample rate or channels; `sample_rate_hz` and `channels` are those of the most samples.
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
    silent_seconds: float
    frame_seconds: float
    findings: tuple[AudioFinding, ...]

    @property
    def decoded_seconds(self) -> float:
        """Duration without the silence in place of damaged frames."""
        return self.duration_seconds - self.silent_seconds

    @property
    def is_truncated(self) -> bool:
        """Whether the file decodes to under 98% of its header's duration, and lacks more than three frames."""
        if self.header_seconds is None:
            return False
        missing_seconds = self.header_seconds - self.decoded_seconds
        return (
            self.decoded_seconds < MIN_DECODED_SHARE * self.header_seconds
            and missing_seconds > MAX_MISSING_FRAMES * self.frame_seconds
        )


@dataclass(frozen=True, slots=True)
class Inspection(DecodeResult):
    """Counts of one decode, and measurements of the audio.

    Loudness is EBU R 128 over the file's own channels; it is None if nothing is above -70 LUFS or the
    file is shorter than 0.4 s. `loudness_range_lu` is EBU Tech 3342, `true_peak_dbtp` is
    ITU-R BS.1770-4 annex 2. `silences` are (start, end) in seconds. `speech_ratio` is the share of the
    time outside silences, 0 to 1: it measures pauses, and is 1 for music or an even hiss. `waveform`
    has 60 sample peaks, 0 to 1.
    """

    loudness_lufs: float | None
    loudness_range_lu: float | None
    true_peak_dbtp: float | None
    silences: tuple[tuple[float, float], ...]
    speech_ratio: float
    waveform: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Peaks:
    """One minimum and one maximum for each `peak_seconds` of a file, over all channels; full scale is 127.

    They are arrays of bytes: tuples take twenty times as much memory.
    """

    peak_seconds: float
    minima: "array[int]"
    maxima: "array[int]"


@dataclass(frozen=True, slots=True)
class Normalized:
    """Measurements of a normalized file, taken from what it decodes to, and of its source.

    `source` has the counts of decoding the source. Source loudness is taken over the source's own
    channels at the output's sample rate. `peaks` are those of the output. `gain_db` is the gain before
    limiting, `limiter_depth_db` the maximum gain reduction (0 without a limiter). `findings` state each
    way in which the file misses the target. `finding_codes` has the codes of
    recall_pipeline/catalog/findings.py for the row of the catalog.
    """

    source: DecodeResult
    source_lufs: float | None
    source_true_peak_dbtp: float | None
    loudness_range_lu: float | None
    speech_ratio: float
    silences: tuple[tuple[float, float], ...]
    waveform: tuple[float, ...]
    peaks: Peaks
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
    finding_codes: tuple[str, ...] = ()

    @property
    def duration_seconds(self) -> float:
        """Decoded duration of the source."""
        return self.source.duration_seconds
