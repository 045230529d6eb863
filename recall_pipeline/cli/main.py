"""The command `recall-pipeline`: its subcommands, its error lines and its exit statuses."""

import codecs
import io
import itertools
import logging
import os
import sys
import warnings
from importlib import import_module
from typing import NoReturn

import click

from recall_pipeline.cli.interrupts import end_at_sigterm
from recall_pipeline.errors import PipelineError, SettingsError, UsageError, is_out_of_handles, with_handle_hint

_COMMANDS = {
    "demo": ("demo", "Sync the sandbox's days and show the catalog; needs no key."),
    "ui": ("ui", "Open Dagster and the archive page on the demo's data."),
    "sandbox": ("sandbox", "Serve a local mock of the Recall.ai API."),
    "doctor": ("doctor", "Check settings, key, storage, audio libraries and Dagster home."),
    "sync": ("sync", "Archive the recordings of some days."),
    "verify": ("verify", "Verify the archive against the catalog; needs no key."),
    "catalog": ("catalog", "Show the catalog; needs no key."),
    "browse": ("browse", "Serve a page of the archive: look, listen, search; needs no key."),
    "export": ("export", "Write a manifest for training toolkits; needs no key."),
    "forget": ("forget", "Erase recordings permanently."),
    "release": ("release", "Delete MP3s at Recall.ai that are verified in the archive."),
    "migrate": ("migrate", "Bring every table to the present schema and place; needs no key."),
    "webhooks": ("webhooks", "Receive the signed webhooks of Recall.ai."),
    "bot": ("bot", "Send a bot that records mixed-audio MP3."),
}
FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130


class _Commands(click.Group):
    """Imports the module of a command when it is used, so that `--help` does not wait for Dagster."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Accept `--env-file` behind the name of a command too."""
        return super().parse_args(ctx, _env_file_first(args))

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
            formatter.write_dl([(name, summary) for name, (_, summary) in _COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="recall_pipeline", message="%(package)s %(version)s")
@click.option("--env-file", metavar="FILE", help="Read this file in place of .env; the environment wins.")
def cli(env_file: str | None) -> None:
    """Incrementally archive Recall.ai meeting audio: list, download, verify, normalize, catalog."""
    if env_file is not None:
        from recall_pipeline.settings import ENV_FILE  # not for --help, which need not wait

        os.environ[ENV_FILE] = os.path.abspath(env_file)  # noqa: PTH100  symbolic links stay


def _env_file_first(args: list[str]) -> list[str]:
    """Return the arguments with every `--env-file` at their beginning; those behind `--` stay."""
    end = args.index("--") if "--" in args else len(args)
    first, rest, waiting = list[str](), list[str](), iter(args[:end])
    for arg in waiting:
        if arg == "--env-file":
            first += [arg, *itertools.islice(waiting, 1)]
        else:
            (first if arg.startswith("--env-file=") else rest).append(arg)
    return [*first, *rest, *args[end:]]


class _StandardErrorHandler(logging.Handler):
    """Prints the reason of a long wait, so that the user knows why the command is still running."""

    def emit(self, record: logging.LogRecord) -> None:
        _print_error(record.getMessage(), 0)


def main() -> NoReturn:
    """Run the command line and exit. An error is one line on standard error and an exit status."""
    try:
        end_at_sigterm()  # before any slow import
        _accept_any_text()
        _silence_libraries()
        status = cli.main(standalone_mode=False)
        sys.stdout.flush()
    except (click.exceptions.Abort, KeyboardInterrupt):
        status = _print_error("interrupted; completed work is kept, and the next sync resumes from there", INTERRUPTED)
    except click.exceptions.NoArgsIsHelpError as no_arguments:
        no_arguments.show()
        status = no_arguments.exit_code
    except click.UsageError as error:
        hint = f" (see {error.ctx.command_path} --help)" if error.ctx else ""
        status = _print_error(error.format_message() + hint, WRONG_USAGE)
    except (SettingsError, UsageError) as error:
        status = _print_error(str(error), WRONG_USAGE)
    except PipelineError as error:
        status = _print_error(str(error), FAILED)
    except BrokenPipeError:  # the reader of the output has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = FAILED
    except OSError as error:
        status = _print_error(f"{error.filename or 'standard output'}: {error.strerror or error}", FAILED)
    except Exception as error:
        if not is_out_of_handles(error):
            raise
        status = _print_error(str(error) or type(error).__name__, FAILED)
    sys.exit(status if isinstance(status, int) else 0)


def _silence_libraries() -> None:
    """Hide warnings and log lines of libraries; `python -W` shows the warnings."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    logging.getLogger().addHandler(logging.NullHandler())
    waits = logging.getLogger("recall_pipeline.waits")  # named here, because importing `recall_api` is slow
    if not waits.handlers:
        waits.addHandler(_StandardErrorHandler())


def _accept_any_text() -> None:
    """Print what the output's encoding cannot show as escapes, and read names as UTF-8 in the locale C."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if codecs.lookup(sys.getfilesystemencoding()).name == "ascii" and not sys.flags.utf8_mode:
        environment = {**os.environ, "PYTHONUTF8": "1"}
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)  # noqa: S606 -- this program


def _print_error(text: str, status: int) -> int:
    click.echo(f"recall-pipeline: {with_handle_hint(text)}", err=True)
    return status
