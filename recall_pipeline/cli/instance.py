"""The Dagster instance that commands run on: DAGSTER_HOME's, else the one `dagster dev` uses in the checkout."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recall_pipeline.errors import SettingsError, StorageError
from recall_pipeline.settings import dagster_home, project_folder

if TYPE_CHECKING:
    import dagster as dg

_LONGEST_REASON = 300
_OF_A_DATABASE = "OperationalError"  # what SQLAlchemy and drivers call a disk or a server that fails
# Else Dagster copies a step's output through `tail`, progress bars included, and Ctrl-C makes those processes noisy.
_NO_COMPUTE_LOGS = {
    "compute_logs": {"module": "dagster._core.storage.noop_compute_log_manager", "class": "NoOpComputeLogManager"}
}


@contextlib.contextmanager
def open_instance() -> Iterator["dg.DagsterInstance"]:
    """Open the instance; raise SettingsError where it cannot be, StorageError where its disk or database fails."""
    home = checked_dagster_home()
    with _open(home) as instance:
        yield instance


def _open(home: Path) -> "dg.DagsterInstance":
    import dagster as dg
    from dagster._core.instance import InstanceRef

    has_its_own = bool(os.environ.get("DAGSTER_HOME")) and (home / "dagster.yaml").is_file()
    folder = home if has_its_own else project_folder()
    overrides = _NO_COMPUTE_LOGS if has_its_own else {**_checkout_settings(home), **_NO_COMPUTE_LOGS}
    try:
        ref = InstanceRef.from_dir(str(home), config_dir=str(folder), overrides=overrides)
        with _exclusive_home(home):
            return dg.DagsterInstance.from_ref(ref)
    except Exception as fault:  # of Dagster, of a database's driver, of a file's reader: whatever the settings name
        reason = " ".join(str(fault).split())[:_LONGEST_REASON]
        is_of_storage = isinstance(fault, OSError) or type(fault).__name__ == _OF_A_DATABASE
        raise (StorageError if is_of_storage else SettingsError)(
            f"Dagster cannot open {home} with {folder / 'dagster.yaml'}: {reason or type(fault).__name__}"
        ) from None


@contextlib.contextmanager
def _exclusive_home(home: Path) -> Iterator[None]:
    """Keep other commands from opening the home meanwhile: two that create its tables at once break it for good."""
    handle = os.open(home, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _checkout_settings(home: Path) -> dict[str, Any]:
    """Return what the checkout's dagster.yaml says otherwise: its places are relative to the working folder."""
    return {
        "storage": {"sqlite": {"base_dir": str(home)}},
        "local_artifact_storage": {
            "module": "dagster._core.storage.root",
            "class": "LocalArtifactStorage",
            "config": {"base_dir": str(home)},
        },
        "telemetry": {"enabled": False},
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
