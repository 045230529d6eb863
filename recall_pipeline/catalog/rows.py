"""The table `audio_catalog` (docs/design/interface.md, section 4): one row per MP3, one for a recording without."""

import dataclasses
from dataclasses import dataclass
from datetime import datetime

from recall_pipeline.days import utc_now
from recall_pipeline.storage import Table, column


@dataclass(frozen=True, slots=True)
class CatalogRow:
    """A recording's audio, or the reason why there is none."""

    recording_id: str = column("Recall's id of the recording")
    audio_id: str | None = column("Recall's id of the MP3; null for a recording without one")
    bot_id: str | None = column("Recall's id of the bot; null for the desktop SDK")
    bot_name: str | None = column("Name the bot joined under")
    platform: str | None = column("Meeting platform, Recall's code")
    meeting_id: str | None = column("The platform's id of the meeting; never a password")
    outcome: str = column("What became of the recording: one of the outcomes in docs/concepts.md")
    outcome_reason: str | None = column("Reason of the outcome, and findings, in words")
    upstream_status: str | None = column("Status at Recall at the last sync: of the MP3, else of the recording")
    created_at: datetime = column("Start of the recording, UTC; its day is the partition")
    started_at: datetime | None = column("When recording started, UTC")
    completed_at: datetime | None = column("When recording ended, UTC")
    expires_at: datetime | None = column("When Recall will remove the media, UTC")
    cataloged_at: datetime | None = column("When this row last changed, UTC")
    recording_seconds: float | None = column("completed_at - started_at, seconds; pauses included")
    duration_seconds: float | None = column("Length that the MP3 decodes to, seconds")
    source_uri: str | None = column("The MP3 as Recall served it, absolute fsspec URI")
    source_bytes: int | None = column("Its size, bytes")
    source_sha256: str | None = column("Its SHA-256, hex")
    source_codec: str | None = column("Codec found in it")
    source_sample_rate_hz: int | None = column("Its sample rate, Hz")
    source_channels: int | None = column("Its channels")
    source_bitrate_bps: int | None = column("Its average bit rate, bit/s")
    audio_uri: str | None = column("The normalized file, absolute fsspec URI")
    audio_bytes: int | None = column("Its size, bytes")
    audio_sha256: str | None = column("Its SHA-256, hex")
    audio_format: str | None = column("`flac`, `mp3`, `opus` or `wav`")
    audio_sample_rate_hz: int | None = column("Its sample rate, Hz")
    audio_channels: int | None = column("Its channels")
    audio_samples: int | None = column("Its length, samples a channel, exact")
    source_lufs: float | None = column("Integrated loudness before, LUFS (EBU R 128); null: silence")
    source_true_peak_dbtp: float | None = column("True peak before, dBTP")
    loudness_range_lu: float | None = column("Loudness range, LU (EBU Tech 3342)")
    audio_lufs: float | None = column("Integrated loudness of the normalized file, LUFS, found by decoding it")
    audio_true_peak_dbtp: float | None = column("True peak of the normalized file, dBTP, found by decoding it")
    gain_db: float | None = column("Gain applied before limiting, dB")
    speech_ratio: float | None = column("Share of the time outside pauses, 0 to 1; also 1 for music or an even hiss")
    metadata: str | None = column("Recall's metadata of the recording, JSON")
    audio_recipe: str | None = column("Engine and target that produced the normalized file, in one line")
    audio_findings: str | None = column("What is noteworthy about the MP3's audio and the normalized file, in words")
    waveform: str | None = column("60 peaks over the whole length, as blocks from low to high")
    source_key: str | None = column("The MP3 as Recall served it, relative to the root of the archive", since=2)
    audio_key: str | None = column("The normalized file, relative to the root of the archive", since=2)
    findings: list[str] | None = column(
        "Codes of what is noteworthy about it, explained below; empty: none; null: written before the column existed",
        since=2,
    )

    @property
    def key(self) -> str:
        """The row's key among the rows of its day."""
        return self.audio_id or self.recording_id

    def redacted(self) -> "CatalogRow":
        """Return the row of an erased recording: its ids, its day and the outcome."""
        row = CatalogRow(
            recording_id=self.recording_id,
            audio_id=self.audio_id,
            bot_id=self.bot_id,
            outcome="forgotten",
            created_at=self.created_at,
            cataloged_at=self.cataloged_at,
            findings=[],
        )
        is_redacted = not self.findings and row == dataclasses.replace(self, findings=[])  # null: of an older version
        return self if is_redacted else dataclasses.replace(row, cataloged_at=utc_now())


CATALOG = Table("audio_catalog", CatalogRow, version=2)
