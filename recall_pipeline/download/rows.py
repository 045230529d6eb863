"""The table `mixed_audio`: one row per known MP3, downloaded or not."""

import dataclasses
import json
from dataclasses import dataclass
from datetime import datetime

from recall_pipeline.recall_api import DELETED, AudioMixed
from recall_pipeline.storage import Table, column

ARCHIVED, CORRUPT = "archived", "corrupt"


@dataclass(frozen=True, slots=True)
class MixedAudioRow:
    """An MP3 artifact: its latest state at Recall.ai, and its file in the archive."""

    recording_id: str = column("Recall's id of the recording")
    audio_id: str = column("Recall's id of the artifact")
    created_at: datetime | None = column("When the artifact was created, UTC")
    updated_at: datetime | None = column("When its status last changed, UTC; a new value may mean new bytes")
    status_code: str | None = column("Recall's status code; an open set; `deleted` also if the API answers 404")
    status_sub_code: str | None = column("Recall's status sub-code")
    metadata: str | None = column("Recall's metadata of the artifact, JSON")
    other_fields: str | None = column(
        "Fields of the API that this project does not know, JSON without secrets and free text"
    )
    has_url: bool = column("Whether Recall offered a download URL at the last sync", default=False)
    state: str | None = column("`archived` or `corrupt`: what the archive holds; null: nothing yet")
    fault: str | None = column("Why the latest downloaded bytes are corrupt; an earlier good version stays archived")
    fetch_failure: str | None = column("Why the last download failed; null: it did not")
    captured_updated_at: datetime | None = column("`updated_at` of the version that was downloaded last, UTC")
    captured_at: datetime | None = column("When the archived bytes passed the decode check, UTC")
    source_key: str | None = column("Key of the newest archived MP3")
    source_bytes: int | None = column("Size of that file, bytes")
    source_sha256: str | None = column("SHA-256 of that file, hex")
    source_codec: str | None = column("Codec found in it")
    source_sample_rate_hz: int | None = column("Its sample rate, Hz")
    source_channels: int | None = column("Its channels")
    source_bitrate_bps: int | None = column("Its average bit rate, bit/s")
    header_seconds: float | None = column("Length that its own header promises, seconds")
    duration_seconds: float | None = column("Length that it decodes to, seconds")
    bad_packets: int | None = column("Packets that the decoder refused")

    def updated_from(self, audio: AudioMixed) -> "MixedAudioRow":
        """Return this row with the artifact's present state at Recall.ai. What the API leaves out stays."""
        is_stated = audio.status.code is not None
        metadata = self.metadata or "{}"
        if audio.metadata is not None:
            metadata = json.dumps(audio.metadata, sort_keys=True, ensure_ascii=False)
        return dataclasses.replace(
            self,
            created_at=audio.created_at or self.created_at,
            updated_at=audio.status.updated_at if is_stated else self.updated_at,
            status_code=audio.status.code or self.status_code,
            status_sub_code=audio.status.sub_code if is_stated else self.status_sub_code,
            metadata=metadata,
            other_fields=audio.other_fields,
            has_url=audio.download_url is not None,
            fetch_failure=None,
        )

    def redacted(self) -> "MixedAudioRow":
        """Return the row of an erased recording: ids only. It is never downloaded."""
        return MixedAudioRow(self.recording_id, self.audio_id, has_url=False)

    def marked_deleted(self) -> "MixedAudioRow":
        """Return this row for an artifact that no longer exists upstream."""
        return dataclasses.replace(self, status_code=DELETED, has_url=False, fetch_failure=None)

    @property
    def is_settled(self) -> bool:
        """Whether the latest version was downloaded, and is not a corrupt one in place of an archived one."""
        return self.is_captured and not (self.state == ARCHIVED and self.fault is not None)

    @property
    def is_captured(self) -> bool:
        """Whether the latest version was downloaded, good or corrupt."""
        return self.state is not None and self.captured_updated_at == self.updated_at

    @property
    def is_interrupted(self) -> bool:
        """Whether a sync ended before it tried to download it."""
        return self.is_offered and not self.is_captured and self.fetch_failure is None

    @property
    def is_offered(self) -> bool:
        """Whether it is done upstream and has a download URL."""
        return self.status_code == "done" and self.has_url


MIXED_AUDIO = Table("mixed_audio", MixedAudioRow)
