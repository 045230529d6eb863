"""What a deletion at Recall.ai reports."""

from dataclasses import dataclass, field

from recall_pipeline.upstream_deletion.candidates import Candidate


@dataclass(slots=True)
class DeletionReport:
    """Counts of MP3s and bytes deleted at Recall.ai, and a line for each MP3 that was kept."""

    mp3s: int = 0
    bytes: int = 0
    kept: list[str] = field(default_factory=list)

    def keep(self, candidate: Candidate, reason: str) -> None:
        """Add the line for an MP3 that was kept."""
        mp3 = candidate.mp3
        self.kept.append(f"recording {mp3.recording_id}, MP3 {mp3.audio_id}: not released, {reason}")
