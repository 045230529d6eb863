"""The page on the public interface names what the code has: settings, columns, outcomes, commands, exit statuses."""

import re

import click
import pytest

from recall_pipeline.catalog import CATALOG
from recall_pipeline.catalog.outcomes import Outcome
from recall_pipeline.cli.main import FAILED, INTERRUPTED, WRONG_USAGE, cli
from recall_pipeline.settings import Settings, environment_name
from recall_pipeline_tests.citations import ROOT, sections

SECTIONS = sections(ROOT / "docs" / "design" / "interface.md")


def table(section: int, heading: str) -> list[list[str]]:
    """Return the cells of the table in a section whose header begins with `heading`."""
    lines = SECTIONS[section].partition(f"| {heading} |")[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def quoted(text: str) -> list[str]:
    """Return what stands in backticks."""
    return re.findall(r"`([^`]+)`", text)


def commands(group: click.Group, prefix: str = "") -> dict[str, click.Command]:
    """Return every command that can be run, by its name."""
    found: dict[str, click.Command] = {}
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        found |= commands(command, f"{name} ") if isinstance(command, click.Group) else {prefix + name: command}
    return found


COMMANDS = commands(cli)


def test_the_page_has_its_six_sections() -> None:
    assert list(SECTIONS) == [1, 2, 3, 4, 5, 6]


def test_every_setting_is_there_with_its_default() -> None:
    listed = {quoted(name)[0]: (quoted(default) or [default])[0] for name, default, _ in table(1, "variable")}
    fields = Settings.model_fields.items()
    assert listed == {
        environment_name(name): "none" if field.default is None else str(field.default) for name, field in fields
    }


def test_every_column_of_the_catalog_is_there() -> None:
    listed = [name for _, names in table(4, "group") for name in quoted(names)]
    assert sorted(listed) == sorted([*CATALOG.columns, "day"])


def test_every_outcome_is_there_and_the_rows_keep_their_numbers() -> None:
    cells = table(4, "#")
    assert [row[0] for row in cells] == [str(number) for number in range(11)]
    assert {name for row in cells for name in quoted(row[2])} >= set(map(str, Outcome))


def test_every_command_is_there() -> None:
    usages = [quoted(cell)[0] for cell, _ in table(5, "command")]
    assert {re.split(r" [-[(A-Z]", usage)[0] for usage in usages} == COMMANDS.keys()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_there(name: str) -> None:
    usage = next(cell for cell, _ in table(5, "command") if cell.startswith(f"`{name}"))
    options = {option for parameter in COMMANDS[name].params for option in parameter.opts if option.startswith("--")}
    assert set(re.findall(r"--[a-z-]+", usage)) == options - {"--help"}


def test_every_exit_status_is_there() -> None:
    assert [int(status) for status, _ in table(5, "exit status")] == [0, FAILED, WRONG_USAGE, INTERRUPTED]
