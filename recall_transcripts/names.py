"""Dagster's names of the transcripts of one archive: as documented, or with the archive's name before them."""

from dataclasses import dataclass, field

import dagster as dg


@dataclass(frozen=True)
class TranscriptNames:
    """Names with the optional prefix `instance`; the asset's key is beside that of the archive's `catalog`."""

    instance: str | None = None
    catalog: dg.AssetKey = field(default_factory=lambda: dg.AssetKey("audio_catalog"))

    @property
    def asset(self) -> dg.AssetKey:
        """The key of the asset `transcripts`."""
        return dg.AssetKey([*self.catalog.path[:-1], "transcripts"])

    def of(self, name: str) -> str:
        """Return the name of a job, schedule, sensor, pool or resource."""
        return f"{self.instance}_{name}" if self.instance else name
