"""Two instances of one project never share a name, a storage or a staging folder."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from types import ModuleType
from typing import NamedTuple, TypeVar

import dagster as dg

from recall_pipeline.errors import SettingsError
from recall_pipeline.settings import Settings
from recall_pipeline.storage import place_of, staging_place_of

C = TypeVar("C", bound=dg.Component)


class Instance(NamedTuple):
    """What identifies an instance. `settings` is None if its storage is not known."""

    name: str | None
    settings: Settings | None


def instances_in(context: dg.ComponentLoadContext, kind: type[C]) -> Sequence[C]:
    """Return all components of a kind in the project that `context` belongs to."""
    tree = context.component_tree
    # Outside of a project, as in a test of one component, Dagster has a tree without a module.
    return tree.get_all_components(of_type=kind) if isinstance(tree.defs_module, ModuleType) else []


def check_distinct(instances: Sequence[Instance]) -> None:
    """Raise SettingsError, in one line, if two instances have the same name, storage or staging folder."""
    for one, other in combinations(instances, 2):
        for fault in _shared(one, other):
            raise fault


def _shared(one: Instance, other: Instance) -> Iterator[SettingsError]:
    if one.name is None and other.name is None:
        yield SettingsError("two archives of this project have no name: give one of them the attribute `name`")
    elif one.name == other.name:
        yield SettingsError(f"two archives of this project have the name {one.name}: give one of them another `name`")
    if one.settings is None or other.settings is None:
        return
    both = f"the archives {one.name or '(without name)'} and {other.name or '(without name)'}"
    if place_of(one.settings) == place_of(other.settings):
        yield SettingsError(f"{both} are stored in {one.settings.storage_root}: give each a `storage_url` of its own")
    if staging_place_of(one.settings) == staging_place_of(other.settings):
        yield SettingsError(f"{both} share a staging folder: give each a `spool_dir` of its own")
