"""The command `recall-pipeline`: its subcommands, and what its exit status says."""

import logging
import os
import sys
import warnings
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
    "verify": ("verify", "Prove the archive against the catalog; needs no key."),
    "catalog": ("catalog", "Show the catalog; needs no key."),
    "export": ("export", "Write a manifest for training toolkits; needs no key."),
    "forget": ("forget", "Remove recordings for good."),
    "release": ("release", "Delete at Recall what is proven in the archive."),
    "webhooks": ("webhooks", "Receive Recall's signed webhooks."),
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
        command: click.Command = getattr(import_module(f"recall_pipeline.cli.{module}"), f"{module}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, says) for name, (_, says) in _COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="recall_pipeline", message="%(package)s %(version)s")
def cli() -> None:
    """Bring a company's Recall.ai meeting audio home, every day, without losing a minute of it."""


class _OnStandardError(logging.Handler):
    """Says what a person would otherwise wait for in the dark."""

    def emit(self, record: logging.LogRecord) -> None:
        _say(record.getMessage(), 0)


def main() -> NoReturn:
    """Run the command line; a fault is one line on standard error and an exit status."""
    _be_quiet()
    try:
        status = cli.main(standalone_mode=False)
        sys.stdout.flush()
    except (click.exceptions.Abort, KeyboardInterrupt):
        status = _say("interrupted; what is done is kept, and the next sync goes on from there", INTERRUPTED)
    except click.exceptions.NoArgsIsHelpError as bare:
        bare.show()
        status = bare.exit_code
    except click.UsageError as wrong:
        hint = f" (see {wrong.ctx.command_path} --help)" if wrong.ctx else ""
        status = _say(wrong.format_message() + hint, WRONG_USAGE)
    except (SettingsError, UsageError) as wrong:
        status = _say(str(wrong), WRONG_USAGE)
    except PipelineError as fault:
        status = _say(str(fault), FAILED)
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = FAILED
    except OSError as fault:
        status = _say(f"{fault.filename or 'standard output'}: {fault.strerror or fault}", FAILED)
    sys.exit(status if isinstance(status, int) else 0)


def _be_quiet() -> None:
    """Keep the libraries' own warnings and log lines off the terminal; `python -W` brings the former back."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    logging.getLogger().addHandler(logging.NullHandler())
    waits = logging.getLogger("recall_pipeline.waits")  # of `recall`, which takes long to import
    if not waits.handlers:
        waits.addHandler(_OnStandardError())


def _say(text: str, status: int) -> int:
    click.echo(f"recall-pipeline: {text}", err=True)
    return status
