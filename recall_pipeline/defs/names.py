"""Dagster's names of one instance of the pipeline: as documented, or with a prefix where several share a deployment."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import dagster as dg

from recall_pipeline.defs.metadata import TAGS
from recall_pipeline.errors import SettingsError

ASSETS = ("bots", "recordings", "mixed_audio", "audio_catalog")
"""The four assets, upstream first."""

Translate = Callable[[dg.AssetSpec], dg.AssetSpec]
"""Changes what Dagster shows of an asset: key, group, owners, tags, kinds, description."""

_LONGEST_NAME = 100  # characters; names of steps end up in names of files
_OWNERS = ["team:meeting-audio"]


def valid_instance(name: str) -> str:
    """Return the name of an instance. Raises SettingsError for a name from which Dagster cannot make others."""
    if len(name) > _LONGEST_NAME:
        raise SettingsError(f"the name {name[:20]}... has {len(name)} characters: use at most {_LONGEST_NAME}")
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        similar = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_") or "eu"
        similar = f"archive_{similar}" if similar[0].isdecimal() else similar
        raise SettingsError(
            f"the name {name!r} is not valid: use letters, digits and underscores, a digit not first, such as {similar}"
        )
    return name


@dataclass(frozen=True)
class Names:
    """Names with the optional prefix `instance`: asset keys `[instance, name]`, other names `instance_name`.

    `translate` may change the key of an asset; its dependencies, checks and jobs follow.
    """

    instance: str | None = None
    translate: Translate = lambda spec: spec

    def spec(self, name: str, **attributes: Any) -> dg.AssetSpec:
        """Return what Dagster shows of the asset `name`; `attributes` are those of its own."""
        key = dg.AssetKey([self.instance, name] if self.instance else [name])
        return self.translate(dg.AssetSpec(key, group_name="recall", owners=_OWNERS, tags=TAGS, **attributes))

    def asset(self, name: str) -> dg.AssetKey:
        """Return the key of the asset `name`."""
        return self.spec(name).key

    def of(self, name: str) -> str:
        """Return the name of a job, schedule, sensor, step, pool or resource."""
        return f"{self.instance}_{name}" if self.instance else name

    @property
    def run_context(self) -> str:
        """The key of the resource with the context of a run."""
        return self.of("run_context")

    @property
    def assets(self) -> list[dg.AssetKey]:
        """The keys of the four assets."""
        return [self.asset(name) for name in ASSETS]
