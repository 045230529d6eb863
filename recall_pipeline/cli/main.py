"""The command `recall-pipeline`: its subcommands, and what its exit status says."""

import sys
from importlib import import_module
from typing import NoReturn

import click

from recall_pipeline.errors import PipelineError, SettingsError, UsageError

_COMMANDS = {
    "demo": ("demo", "Sync the sandbox's days and show the catalog; needs no key."),
    "ui": ("ui", "Open Dagster on the demo's data."),
    "sandbox": ("sandbox", "Serve a local Recall API."),
    "doctor": ("doctor", "Check settings, key, storage, audio libraries and Dagster home."),
    "sync": ("sync", "Bring days of recordings home."),
    "catalog": ("catalog", "Show the catalog; needs no key."),
    "bot": ("bot", "Send a bot that records mixed-audio MP3."),
}
FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130


class _Commands(click.Group):
    """Loads a command's module when it is asked for: `--help` need not wait for Dagster."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module, _ = _COMMANDS[cmd_name]
        command: click.Command = import_module(f"recall_pipeline.cli.{module}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, says) for name, (_, says) in _COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="recall_pipeline")
def cli() -> None:
    """Bring a company's Recall.ai meeting audio home, every day, without losing a minute of it."""


def main() -> NoReturn:
    """Run the command line; a fault is one line on standard error and an exit status."""
    try:
        status = cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        status = _say("interrupted; what is done is kept, and the next sync goes on from there", INTERRUPTED)
    except KeyboardInterrupt:
        status = _say("interrupted; what is done is kept, and the next sync goes on from there", INTERRUPTED)
    except click.ClickException as wrong:
        wrong.show()
        status = wrong.exit_code
    except (SettingsError, UsageError) as wrong:
        status = _say(str(wrong), WRONG_USAGE)
    except PipelineError as fault:
        status = _say(str(fault), FAILED)
    sys.exit(status if isinstance(status, int) else 0)


def _say(text: str, status: int) -> int:
    click.echo(f"recall-pipeline: {text}", err=True)
    return status
