"""Dagster's names of one instance of the pipeline: as documented, or with a prefix where several share a deployment."""

from dataclasses import dataclass

import dagster as dg

ASSETS = ("bots", "recordings", "mixed_audio", "audio_catalog")
"""The four assets, upstream first."""


@dataclass(frozen=True, slots=True)
class Names:
    """Names with the optional prefix `instance`: asset keys `[instance, name]`, other names `instance_name`."""

    instance: str | None = None

    def asset(self, name: str) -> dg.AssetKey:
        """Return the key of the asset `name`."""
        return dg.AssetKey([self.instance, name] if self.instance else [name])

    def of(self, name: str) -> str:
        """Return the name of a job, schedule, sensor or step."""
        return f"{self.instance}_{name}" if self.instance else name

    @property
    def assets(self) -> list[dg.AssetKey]:
        """The keys of the four assets."""
        return [self.asset(name) for name in ASSETS]
