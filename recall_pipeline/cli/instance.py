"""The Dagster instance of the command line: that of DAGSTER_HOME, else the one of `dagster dev` in the checkout."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recall_pipeline.errors import SettingsError, StorageError
from recall_pipeline.settings import dagster_home, project_folder
from recall_pipeline.storage import exclusive_file_lock

if TYPE_CHECKING:
    import dagster as dg

_MAX_REASON_LENGTH = 300  # characters
_DATABASE_ERROR = "OperationalError"  # the class name in SQLAlchemy and in drivers if a disk or a server fails
# Otherwise Dagster copies the output of a step, progress bars included, through `tail`, which prints errors at Ctrl-C.
_NO_COMPUTE_LOGS = {
    "compute_logs": {"module": "dagster._core.storage.noop_compute_log_manager", "class": "NoOpComputeLogManager"}
}


@contextlib.contextmanager
def open_instance() -> Iterator["dg.DagsterInstance"]:
    """Open the instance. Raises SettingsError for wrong settings, StorageError if its disk or database fails."""
    home = checked_dagster_home()
    with _open(home) as instance:
        yield instance


def _open(home: Path) -> "dg.DagsterInstance":
    import dagster as dg
    from dagster._core.instance import InstanceRef

    has_settings = bool(os.environ.get("DAGSTER_HOME")) and (home / "dagster.yaml").is_file()
    folder = home if has_settings else project_folder()
    overrides = _NO_COMPUTE_LOGS if has_settings else {**_checkout_settings(home), **_NO_COMPUTE_LOGS}
    try:
        ref = InstanceRef.from_dir(str(home), config_dir=str(folder), overrides=overrides)
        with _exclusive_home(home):
            return dg.DagsterInstance.from_ref(ref)
    except Exception as error:  # raised by Dagster, by a database driver, or by a class that the settings name
        reason = " ".join(str(error).split())[:_MAX_REASON_LENGTH]
        is_storage_error = isinstance(error, OSError) or type(error).__name__ == _DATABASE_ERROR
        raise (StorageError if is_storage_error else SettingsError)(
            f"Dagster cannot open {home} with {folder / 'dagster.yaml'}: {reason or type(error).__name__}"
        ) from None


@contextlib.contextmanager
def _exclusive_home(home: Path) -> Iterator[None]:
    """Lock the home within the block: two commands that create its tables at the same time corrupt it."""
    with exclusive_file_lock(home / "recall_pipeline.lock"):
        yield


def _checkout_settings(home: Path) -> dict[str, Any]:
    """Return overrides of the checkout's dagster.yaml, whose paths are relative to the working folder."""
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
    """Return the folder with the state of Dagster. Raises SettingsError if it is not usable."""
    home = dagster_home()
    if not home.is_absolute():
        raise SettingsError(f"DAGSTER_HOME {home} is a relative path: use an absolute path")
    if not os.environ.get("DAGSTER_HOME"):
        try:
            home.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise SettingsError(
                f"cannot create {home} ({error.strerror}): set DAGSTER_HOME to another folder"
            ) from None
    if not home.is_dir():
        raise SettingsError(f"DAGSTER_HOME {home} is not a folder: create it, or unset DAGSTER_HOME")
    if not os.access(home, os.W_OK):
        raise SettingsError(f"DAGSTER_HOME {home} is not writable: fix its permissions, or set another folder")
    return home
