"""The folder of a demo: archive, Dagster home, and the day on which the demo was created."""

import contextlib
import json
import os
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Self

import yaml

from recall_pipeline.errors import StorageError, UsageError
from recall_pipeline.settings import Settings, environment_name, project_folder
from recall_pipeline.storage import open_archive
from recall_sandbox import Sandbox

_NAME = "demo"
_PATH_SECTIONS = ("storage", "local_artifact_storage", "compute_logs")  # of dagster.yaml; the demo uses its own home


@dataclass(frozen=True, slots=True)
class DemoFolder:
    """A folder that contains a demo and nothing else."""

    folder: Path

    @classmethod
    def at(cls, folder: Path | None) -> Self:
        """Return the demo in `folder`, or the one beside workspace.yaml."""
        return cls((folder or project_folder() / _NAME).absolute())

    @property
    def data(self) -> Path:
        """Its archive."""
        return self.folder / "data"

    @property
    def ui_command(self) -> str:
        """The shell command that shows the demo in Dagster."""
        is_default = self == DemoFolder.at(None)
        return "make ui" if is_default else f"recall-pipeline ui --folder {shlex.quote(str(self.folder))}"

    @property
    def _home(self) -> Path:
        return self.folder / "dagster_home"

    @property
    def _marker(self) -> Path:
        return self.folder / "demo.json"

    @property
    def created_on(self) -> date | None:
        """The UTC day for which the sandbox's meetings were created; None if the folder does not contain a demo."""
        try:
            return date.fromisoformat(json.loads(self._marker.read_text())["today"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def create(self, today: date) -> None:
        """Recreate the folder. Raises UsageError if it contains anything but a demo, ArchiveRefused for a newer one."""
        if self.folder.exists() and any(self.folder.iterdir()):
            if self.created_on is None:
                raise UsageError(
                    f"{self.folder} contains files that are not a demo: choose another folder with --folder"
                )
            self.check_format()
            shutil.rmtree(self.folder)
        self._home.mkdir(parents=True, mode=0o700)
        self._marker.write_text(json.dumps({"today": today.isoformat()}))
        (self._home / "dagster.yaml").write_text(_dagster_yaml())

    def check_format(self) -> None:
        """Raise ArchiveRefused if its archive has a newer format; a damaged one is not protected."""
        with contextlib.suppress(StorageError):
            open_archive(Settings(storage_url=str(self.data)))

    @contextlib.contextmanager
    def environment(self, sandbox: Sandbox) -> Iterator[dict[str, str]]:
        """Set the environment variables of this demo within the block. Settings of the user have no effect in it."""
        variables = {environment_name(field): "" for field in Settings.model_fields} | {
            "RECALL_API_URL": sandbox.api_url,
            "RECALL_API_KEY": sandbox.api_key,
            "RECALL_STORAGE_URL": str(self.data),
            "RECALL_START_DATE": min(row.day for row in sandbox.world.expected_rows()).isoformat(),
            "RECALL_SENSOR_INTERVAL_SECONDS": "30",
            "DAGSTER_HOME": str(self._home),
        }
        before = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)
        try:
            yield variables
        finally:
            for name, value in before.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value


def _dagster_yaml() -> str:
    """Return the project's dagster.yaml without the sections that set paths."""
    shipped = yaml.safe_load((project_folder() / "dagster.yaml").read_text())
    kept: str = yaml.safe_dump(
        {key: value for key, value in shipped.items() if key not in _PATH_SECTIONS}, sort_keys=False
    )
    return kept
