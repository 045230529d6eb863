"""`dg scaffold defs recall_pipeline.RecallArchiveComponent eu`: a commented defs.yaml, and a line for `.env`."""

import re
import sys
from pathlib import Path

import click
import dagster as dg
from pydantic import BaseModel, Field

from recall_pipeline.defs import valid_instance
from recall_pipeline.errors import UsageError
from recall_pipeline.settings import REGIONS

_DEFS = """\
type: {type}

attributes:
  # Asset keys are [{name}, bots], [{name}, recordings] ...; jobs, schedules and sensors are {name}_sync_day ...
  name: {name}

  # The workspace's key, from the environment of Dagster or from the .env of the project. Never write it here.
  api_key: "{{{{ env.{variable} }}}}"
  region: {region}

  # A path (from the root of the project), or an fsspec URL such as s3://bucket/{name}. No other archive can use it.
  storage_url: ./data/{name}

  # The first day to archive.
  # start_date: "2025-01-01"

  # Every setting of the documentation is an attribute, in lower case and without RECALL_:
  # retention_days: 365

  # Credentials of the storage, where those of the process are not meant (options of fsspec):
  # storage_options: {{key: "{{{{ env.{prefix}_AWS_KEY }}}}", secret: "{{{{ env.{prefix}_AWS_SECRET }}}}"}}

  # What Dagster shows of the assets:
  # translation: {{group_name: meetings, owners: ["team:data"]}}
"""


class ArchiveScaffoldParams(BaseModel):
    """What the scaffolder asks for, unless it is given as an option."""

    name: str | None = Field(None, description="Name of the archive: letters, digits and underscores.")
    region: str | None = Field(None, description=f"Region of the workspace's key: {', '.join(REGIONS)}.")


class ArchiveScaffolder(dg.Scaffolder[ArchiveScaffoldParams]):
    """Writes a commented defs.yaml, and a line for the key to `.env` of the project."""

    @classmethod
    def get_scaffold_params(cls) -> type[ArchiveScaffoldParams]:
        """Return the options of the command."""
        return ArchiveScaffoldParams

    def scaffold(self, request: dg.ScaffoldRequest[ArchiveScaffoldParams]) -> None:
        """Write both files. Raises UsageError for an unknown region and for Python, SettingsError for a wrong name."""
        if request.scaffold_format != "yaml":
            raise UsageError("this component has a scaffold in YAML only: leave out --format python")
        folder = re.sub(r"[^A-Za-z0-9]+", "_", request.target_path.name).strip("_") or "eu"
        suggested = f"archive_{folder}" if folder[0].isdecimal() else folder
        name = valid_instance(request.params.name or _ask("Name of the archive", suggested))
        region = request.params.region or _ask(f"Region of the key ({', '.join(REGIONS)})", REGIONS[0])
        if region not in REGIONS:
            raise UsageError(f"the region {region} is not known: use one of {', '.join(REGIONS)}")
        prefix = name.upper()
        variable = f"{prefix}_RECALL_API_KEY"
        text = _DEFS.format(type=request.type_name, name=name, variable=variable, region=region, prefix=prefix)
        _write_defs(request, text)
        if request.project_root is not None:
            _add_variable(request.project_root / ".env", variable)


def _ask(question: str, suggested: str) -> str:
    """Return the answer on a terminal; elsewhere what was suggested."""
    return str(click.prompt(question, default=suggested)) if sys.stdin.isatty() else suggested


def _write_defs(request: dg.ScaffoldRequest[ArchiveScaffoldParams], text: str) -> None:
    if request.append:
        with request.target_path.open("a", encoding="utf-8") as file:
            file.write(f"---\n{text}")
    else:
        (request.target_path / "defs.yaml").write_text(text, "utf-8")


def _add_variable(dotenv: Path, variable: str) -> None:
    """Add an empty variable to `.env`, unless it is there, and report it."""
    present = dotenv.read_text("utf-8") if dotenv.is_file() else ""
    if re.search(rf"^\s*(export\s+)?{variable}=", present, re.MULTILINE):
        return
    if not dotenv.exists():
        dotenv.touch(mode=0o600)
    with dotenv.open("a", encoding="utf-8") as file:
        file.write(f"{'' if not present or present.endswith(chr(10)) else chr(10)}{variable}=\n")
    click.echo(f"Set {variable} in {dotenv}, which must not be committed.")
