"""The demo's folder: archive, Dagster home, and the day on which it was made."""

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

from recall_pipeline.errors import UsageError
from recall_pipeline.settings import Settings, environment_name, project_folder
from recall_sandbox import Sandbox

_NAME = "demo"
_OWN_PLACES = ("storage", "local_artifact_storage", "compute_logs")  # of dagster.yaml: a home is its own place


@dataclass(frozen=True, slots=True)
class DemoFolder:
    """One folder that holds a demo, and nothing else."""

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
        """What shows it in Dagster."""
        is_usual = self == DemoFolder.at(None)
        return "make ui" if is_usual else f"recall-pipeline ui --folder {shlex.quote(str(self.folder))}"

    @property
    def _home(self) -> Path:
        return self.folder / "dagster_home"

    @property
    def _mark(self) -> Path:
        return self.folder / "demo.json"

    @property
    def made_on(self) -> date | None:
        """The day for which the sandbox's meetings were made; None when there is no demo yet."""
        try:
            return date.fromisoformat(json.loads(self._mark.read_text())["today"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def begin(self, today: date) -> None:
        """Make the folder anew; raise UsageError rather than remove what no demo has made."""
        if self.folder.exists() and any(self.folder.iterdir()):
            if self.made_on is None:
                raise UsageError(f"{self.folder} holds something that is no demo: name another with --folder")
            shutil.rmtree(self.folder)
        self._home.mkdir(parents=True, mode=0o700)
        self._mark.write_text(json.dumps({"today": today.isoformat()}))
        (self._home / "dagster.yaml").write_text(_dagster_yaml())

    @contextlib.contextmanager
    def environment(self, sandbox: Sandbox) -> Iterator[dict[str, str]]:
        """Set the environment to this demo's for the while; nothing of the user's own settings takes part."""
        ours = {environment_name(field): "" for field in Settings.model_fields} | {
            "RECALL_API_URL": sandbox.api_url,
            "RECALL_API_KEY": sandbox.api_key,
            "RECALL_STORAGE_URL": str(self.data),
            "RECALL_START_DATE": min(row.day for row in sandbox.world.expected_rows()).isoformat(),
            "RECALL_SENSOR_INTERVAL_SECONDS": "30",
            "DAGSTER_HOME": str(self._home),
        }
        before = {name: os.environ.get(name) for name in ours}
        os.environ.update(ours)
        try:
            yield ours
        finally:
            for name, value in before.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value


def _dagster_yaml() -> str:
    """Return the project's dagster.yaml without the places that it names."""
    shipped = yaml.safe_load((project_folder() / "dagster.yaml").read_text())
    kept: str = yaml.safe_dump(
        {key: value for key, value in shipped.items() if key not in _OWN_PLACES}, sort_keys=False
    )
    return kept
