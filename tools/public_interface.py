"""List the public interface, one line per name: what docs/versions.md promises to keep."""

import dataclasses
import importlib
import inspect
from collections.abc import Iterator
from typing import Any

import click
import dagster as dg
from pydantic import BaseModel

from recall_pipeline import RecallArchiveComponent, Settings, build_definitions
from recall_pipeline.audit import AUDIT
from recall_pipeline.catalog import CATALOG, FINDINGS, Outcome
from recall_pipeline.cli.main import FAILED, INTERRUPTED, WRONG_USAGE, cli
from recall_pipeline.discovery import BOTS, RECORDINGS
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.settings import environment_name
from recall_pipeline.verification import CODES
from recall_transcripts import RecallTranscriptsComponent, definitions
from recall_transcripts.rows import TRANSCRIPTS
from recall_transcripts.settings import TranscriptsSettings

IMPORTS = {  # names by module; None: all that it exports
    "recall_pipeline": None,
    "recall_pipeline.audio": None,
    "recall_pipeline.catalog": ("ArchivedRecording", "read_catalog", "read_recordings"),
    "recall_pipeline.downstream": None,
    "recall_transcripts": None,
}
WITHOUT_MEMBERS = ("recall_pipeline.storage",)  # to be passed on, not to be called
HEADER = """\
# The public interface, one line per name. tools/update_tables.py adds lines and never removes one.
# A line goes by hand, together with what docs/versions.md requires of a removal.
"""
COMPONENTS = (RecallArchiveComponent, RecallTranscriptsComponent)
TABLES = (AUDIT, BOTS, CATALOG, MIXED_AUDIO, RECORDINGS, TRANSCRIPTS)


def public_names() -> list[str]:
    """Return one line for each name that users may rely on, in order."""
    lines = {*_imports(), *_columns(), *_settings(), *_attributes(), *_commands(cli, "recall-pipeline"), *_codes()}
    for location in (build_definitions(Settings()), definitions.defs):
        lines |= set(_names_in_dagster(location))
    return sorted(lines)


def updated_interface(text: str) -> str:
    """Return the text of the file with the lines that are new; lines without a name in the code stay."""
    return HEADER + "".join(f"{line}\n" for line in sorted({*listed_in(text), *public_names()}))


def listed_in(text: str) -> list[str]:
    """Return the lines of the file without its header."""
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _imports() -> Iterator[str]:
    for module, names in IMPORTS.items():
        found = importlib.import_module(module)
        for name in names or found.__all__:
            yield f"import {module}.{name}"
            yield from _members(f"{module}.{name}", getattr(found, name))


def _members(path: str, exported: Any) -> Iterator[str]:
    """Yield the parameters of a function; the fields, properties and own methods of a class."""
    if inspect.isfunction(exported):
        yield from (f"parameter {path} {name}" for name in inspect.signature(exported).parameters)
    elif inspect.isclass(exported) and not exported.__module__.startswith(WITHOUT_MEMBERS):
        fields = dataclasses.fields(exported) if dataclasses.is_dataclass(exported) else ()
        yield from (f"member {path}.{field.name}" for field in fields if not field.name.startswith("_"))
        for name, member in vars(exported).items() if not issubclass(exported, BaseModel) else ():
            if not name.startswith("_") and isinstance(member, property):
                yield f"member {path}.{name}"
            elif not name.startswith("_") and inspect.isfunction(member):
                parameters = list(inspect.signature(member).parameters)[1:]
                yield f"member {path}.{name}"
                yield from (f"parameter {path}.{name} {each}" for each in parameters)


def _columns() -> Iterator[str]:
    for table in TABLES:
        yield from (f"column {table.name}.{name} {kind}" for name, (kind, _) in table.columns.items())
        yield f"column {table.name}.day date32[day]"


def _settings() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        yield f"setting {environment_name(name)} default {_default(field.default)}"
    for name, field in TranscriptsSettings.model_fields.items():
        yield f"setting TRANSCRIPTS_{name.upper()} default {_default(field.default)}"


def _attributes() -> Iterator[str]:
    for component in COMPONENTS:
        model = component.get_model_cls() or BaseModel
        yield from (
            f"attribute {component.__module__.partition('.')[0]}.{component.__name__} {name}"
            for name in model.model_fields
        )


def _default(value: object) -> str:
    return "none" if value is None else str(value)


def _commands(group: click.Group, path: str) -> Iterator[str]:
    yield from (f"option {path} {name}" for parameter in group.params for name in parameter.opts)
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path} {name}")
        elif command is not None:
            yield f"command {path} {name}"
            yield from (f"option {path} {name} {line}" for option in command.params for line in _option(option))


def _option(option: click.Parameter) -> Iterator[str]:
    names = [*option.opts, *option.secondary_opts]
    yield from names if isinstance(option, click.Option) else [str(option.human_readable_name)]
    if isinstance(option.type, click.Choice):
        yield from (f"{names[0]} {choice}" for choice in option.type.choices)


def _codes() -> Iterator[str]:
    yield from (f"exit status {status}" for status in (0, FAILED, WRONG_USAGE, INTERRUPTED))
    yield from (f"outcome {outcome}" for outcome in Outcome)
    yield from (f"finding {code}" for code in FINDINGS)
    yield from (f"problem of verify {code}" for code in CODES)


def _names_in_dagster(location: dg.Definitions) -> Iterator[str]:
    repository = location.get_repository_def()
    graph = repository.asset_graph
    yield from (f"asset {key.to_user_string()}" for key in graph.materializable_asset_keys)
    yield from (f"check {key.asset_key.to_user_string()}.{key.name}" for key in graph.asset_check_keys)
    yield from (f"job {name}" for name in repository.job_names if not name.startswith("__"))
    yield from (f"schedule {schedule.name}" for schedule in repository.schedule_defs)
    yield from (f"sensor {sensor.name}" for sensor in repository.sensor_defs)
