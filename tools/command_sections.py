"""Describe a click command line in Markdown: a section for each command with its usage, help text and options."""

import textwrap
from collections.abc import Iterator, Sequence

import click
from markdown_table import header, row


def command_sections(group: click.Group, prefix: str) -> Iterator[str]:
    """Yield the lines of every command below `group`, those of nested groups included."""
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        if isinstance(command, click.Group):
            yield from command_sections(command, f"{prefix} {name}")
        elif command is not None:
            yield from _section(command, f"{prefix} {name}")


def _section(command: click.Command, path: str) -> Iterator[str]:
    context = click.Context(command, info_name=path)
    usage = " ".join(["Usage:", path, *command.collect_usage_pieces(context)])
    yield from (f"### {path.partition(' ')[2]}", "", "```", usage, "```", "")
    for paragraph in (command.help or "").strip().split("\n\n"):
        yield from (*_paragraph(paragraph), "")
    options = [option for option in command.params if isinstance(option, click.Option)]
    rows = [_option(*record) for option in options if (record := option.get_help_record(context))]
    yield from (*header("option", "meaning"), *rows, "") if rows else ()


def _paragraph(text: str) -> Sequence[str]:
    """Return a paragraph of a help text; what click does not wrap, after `\\b`, is a block of code."""
    lines = text.strip("\n").splitlines()
    if lines[0].strip() == "\b":
        return ["```", textwrap.dedent("\n".join(lines[1:])).rstrip(), "```"]
    return [textwrap.fill(" ".join(text.split()), 120, break_long_words=False, break_on_hyphens=False)]


def _option(declaration: str, meaning: str) -> str:
    name, _, value = declaration.partition(" ")
    return row(f"`{name}` {value}".strip(), " ".join(meaning.split()))
