"""Dagster's names of the transcripts of one archive: as documented, or with the archive's name before them."""

from collections.abc import Callable
from dataclasses import dataclass, field

import dagster as dg

from recall_pipeline.downstream import TAGS

_DESCRIPTION = (
    "Text, segments with times, and language of every recording that is `ready`, with the hashes of its audio and of "
    "the model. Incremental: only new or changed audio is transcribed."
)


@dataclass(frozen=True)
class TranscriptNames:
    """Names with the optional prefix `instance`; the asset's key is beside that of the archive's `catalog`.

    `translate` may change what Dagster shows of the asset, its key too; check, job and sensor follow.
    """

    instance: str | None = None
    catalog: dg.AssetKey = field(default_factory=lambda: dg.AssetKey("audio_catalog"))
    translate: Callable[[dg.AssetSpec], dg.AssetSpec] = lambda spec: spec

    @property
    def asset(self) -> dg.AssetKey:
        """The key of the asset `transcripts`."""
        return self.spec.key

    @property
    def spec(self) -> dg.AssetSpec:
        """What Dagster shows of the asset `transcripts`."""
        key = dg.AssetKey([*self.catalog.path[:-1], "transcripts"])
        spec = dg.AssetSpec(
            key,
            group_name="transcripts",
            owners=["team:speech"],
            tags=TAGS,
            kinds={"parquet"},
            description=_DESCRIPTION,
        )
        return self.translate(spec)

    def of(self, name: str) -> str:
        """Return the name of a job, schedule, sensor, pool or resource."""
        return f"{self.instance}_{name}" if self.instance else name
