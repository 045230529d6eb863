"""The Dagster instance that commands run on: DAGSTER_HOME's, else the one `dagster dev` uses in the checkout."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recall_pipeline.errors import SettingsError
from recall_pipeline.settings import dagster_home, project_folder

if TYPE_CHECKING:
    import dagster as dg


@contextlib.contextmanager
def open_instance() -> Iterator["dg.DagsterInstance"]:
    """Open the instance; raise SettingsError where it cannot be."""
    import dagster as dg
    from dagster._core.instance import InstanceRef

    home = checked_dagster_home()
    if os.environ.get("DAGSTER_HOME"):
        with dg.DagsterInstance.get() as instance:
            yield instance
        return
    reference = InstanceRef.from_dir(str(home), config_dir=str(project_folder()), overrides=_places(home))
    with dg.DagsterInstance.from_ref(reference) as instance:
        yield instance


def _places(home: Path) -> dict[str, Any]:
    """Return the places that the checkout's dagster.yaml names relative to the working folder, as absolute ones."""
    return {
        "storage": {"sqlite": {"base_dir": str(home)}},
        "local_artifact_storage": {
            "module": "dagster._core.storage.root",
            "class": "LocalArtifactStorage",
            "config": {"base_dir": str(home)},
        },
        "compute_logs": {
            "module": "dagster._core.storage.local_compute_log_manager",
            "class": "LocalComputeLogManager",
            "config": {"base_dir": str(home / "storage")},
        },
    }


def checked_dagster_home() -> Path:
    """Return the folder where Dagster keeps its state; raise SettingsError when it is not usable."""
    home = dagster_home()
    if not home.is_absolute():
        raise SettingsError(f"DAGSTER_HOME {home} is a relative path: Dagster wants an absolute one")
    if not os.environ.get("DAGSTER_HOME"):
        try:
            home.mkdir(mode=0o700, exist_ok=True)
        except OSError as fault:
            raise SettingsError(
                f"cannot create {home} ({fault.strerror}): set DAGSTER_HOME to another folder"
            ) from None
    if not home.is_dir():
        raise SettingsError(f"DAGSTER_HOME {home} is no folder: create it, or unset DAGSTER_HOME")
    if not os.access(home, os.W_OK):
        raise SettingsError(f"DAGSTER_HOME {home} cannot be written: mend its rights, or name another folder")
    return home
