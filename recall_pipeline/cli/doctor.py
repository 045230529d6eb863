"""The command `doctor`: check the setup, one line per check. A failed check prints how to fix it."""

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path

import click
import httpx

from recall_pipeline.cli.coordination_check import check_coordination
from recall_pipeline.cli.doctor_network import check_clients, check_media
from recall_pipeline.cli.due_report import due_lines
from recall_pipeline.cli.instance import checked_dagster_home, open_instance
from recall_pipeline.cli.main import FAILED, WRONG_USAGE
from recall_pipeline.cli.probe import show_probe
from recall_pipeline.cli.storage_check import check_storage
from recall_pipeline.days import utc_now
from recall_pipeline.errors import (
    ArchiveRefused,
    ArchiveUnreadable,
    PipelineError,
    RecallError,
    RecallUnauthorized,
    StorageError,
    UsageError,
)
from recall_pipeline.recall_api import RetryPolicy, open_client
from recall_pipeline.settings import REGIONS, Settings, load_settings

_NEWEST_DAYS = 10
_ONCE = RetryPolicy(attempts=1, deadline_seconds=20)


@click.command("doctor")
@click.option("--probe", is_flag=True, help="Instead: report how Recall.ai answers; sends at most 20 GET requests.")
@click.option("--json", "as_json", is_flag=True, help="With --probe: print the report as one JSON object.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="With --probe: write the JSON to FILE.")
def doctor_command(probe: bool, as_json: bool, report: Path | None) -> int:
    """Check settings, network, key and region, media, storage, archive, due days, audio libraries and Dagster home.

    Prints one line per check; a failed check prints how to fix it. The storage check writes, reads, lists, moves
    and deletes small objects. The archive check compares the API of archive.json with the settings. The key check
    requests one listing from Recall.ai. The check of hosts takes a request and a lock on the server of
    RECALL_COORDINATION_URL, if that is set. The media check fetches one byte of one MP3. The line `days` shows the days
    that are due, and those from RECALL_START_DATE to the archive's first day, which no schedule requests; both are
    information.

    The report of --probe contains shapes, types, counts and known names, and never a value, so it can be published.

    Exit status: 0 success; 1 a check failed, or the service refused the probe; 2 wrong settings, or an archive of a
    newer format or of another API.
    """
    settings = load_settings()
    if probe:
        return show_probe(settings, as_json=as_json, file=report)
    if as_json or report:
        raise UsageError("--json and --report belong to the probe: add --probe")
    checks: dict[str, Callable[[Settings], str]] = {
        "settings": lambda s: f"archive at {s.storage_root}, from {s.start_date} on",
        "network": check_clients,
        "key": _check_key,
        "media": check_media,
        "storage": check_storage,
        **({"hosts": check_coordination} if settings.coordination_url else {}),
        "archive": _check_archive,
        "days": _check_days,
        "audio": _check_audio,
        "dagster": _check_dagster,
    }
    return max([_print_result(name, check, settings) for name, check in checks.items()])


def _print_result(name: str, check: Callable[[Settings], str], settings: Settings) -> int:
    """Print the line of a check, and return its exit status."""
    try:
        result = check(settings)
    except PipelineError as error:
        click.echo(f"FAIL   {name:9} {error}")
        return WRONG_USAGE if isinstance(error, ArchiveRefused) else FAILED
    except Exception as error:  # the other checks still have to run
        click.echo(f"FAIL   {name:9} {type(error).__name__}: {' '.join(str(error).split())}")
        return FAILED
    click.echo(f"ok     {name:9} {result}")
    return 0


def _check_key(settings: Settings) -> str:
    asyncio.run(_ask_api(settings))
    return f"accepted by {settings.base_url}"


async def _ask_api(settings: Settings) -> None:
    try:
        async with open_client(settings, _ONCE) as client:
            await client.ping()
    except RecallUnauthorized as refused:
        raise RecallUnauthorized(await _why_refused(settings)) from refused


async def _why_refused(settings: Settings) -> str:
    """Return why the key is refused: it is wrong, or it belongs to another region. Only requests can tell."""
    if settings.api_url is not None:
        return f"{settings.base_url} does not accept the key: check RECALL_API_KEY and RECALL_API_URL"
    unasked = []
    for region in REGIONS:
        match await _accepts_key(settings.model_copy(update={"region": region})):
            case True:
                return f"the key belongs to another region: set RECALL_REGION={region}"
            case None:
                unasked.append(region)
    if unasked:
        return (
            f"no region that answers accepts the key, and {', '.join(unasked)} could not be asked: if your workspace "
            "is there, set RECALL_REGION; if not, copy RECALL_API_KEY again from Recall's dashboard"
        )
    return "no region of Recall.ai accepts the key: copy RECALL_API_KEY again from Recall's dashboard"


async def _accepts_key(settings: Settings) -> bool | None:
    """Return whether the region of the settings accepts the key; None if it does not answer that."""
    try:
        async with open_client(settings, _ONCE) as client:
            await client.ping()
    except RecallUnauthorized:
        return False
    except RecallError as error:
        return True if error.status_code == httpx.codes.PAYMENT_REQUIRED else None
    return True


def _check_archive(settings: Settings) -> str:
    """Compare the API host of `archive.json` with the settings; raise ArchiveRefused if it is another one."""
    from recall_pipeline.storage import check_identity, open_archive

    try:
        identity = check_identity(open_archive(settings), settings)
    except (ArchiveRefused, ArchiveUnreadable):
        raise
    except StorageError:
        return "not known, since the storage cannot be read"
    if identity is None:
        return "no archive.json yet: the first sync writes it"
    _check_deployments(settings)
    return f"archive.json is of {identity.api or 'no API host'}, as the settings are"


def _check_deployments(settings: Settings) -> None:
    """Raise StorageError if two deployments normalize the newest days with other audio settings."""
    from recall_pipeline.catalog import CATALOG, SAME_SETTINGS, conflict_in, uses_on
    from recall_pipeline.storage import open_archive

    archive = open_archive(settings)
    conflict = conflict_in(uses_on(archive, archive.days(CATALOG.name)[-_NEWEST_DAYS:]), utc_now())
    if conflict:
        raise StorageError(f"{conflict}: {SAME_SETTINGS}")


def _check_days(settings: Settings) -> str:
    from recall_pipeline.catalog import days_due
    from recall_pipeline.storage import open_archive

    try:
        due = days_due(open_archive(settings), settings, utc_now())
    except StorageError:
        return "not known, since the storage cannot be read"
    if due.faults:
        others = f" (and {len(due.faults) - 1} more days)" if len(due.faults) > 1 else ""
        raise StorageError(f"{next(iter(due.faults.values()))}{others}")
    return "; ".join(due_lines(due))


def _check_audio(settings: Settings) -> str:
    try:
        with tempfile.TemporaryDirectory() as folder:
            _normalize_a_tone(Path(folder), settings)
    except ImportError as missing:
        raise PipelineError(f"{missing}: install the project again (make demo)") from None
    return f"decoded and normalized one second of audio to {settings.audio_format}, {settings.audio_sample_rate_hz} Hz"


def _normalize_a_tone(folder: Path, settings: Settings) -> None:
    import numpy as np
    import soundfile

    from recall_pipeline.audio import normalize
    from recall_pipeline.catalog import target_of

    tone, rate_hz = folder / "tone.wav", 16000
    soundfile.write(tone, 0.1 * np.sin(2 * np.pi * 440 * np.arange(rate_hz) / rate_hz), rate_hz)
    normalize(tone, folder / f"tone.{settings.audio_format}", target_of(settings))


def _check_dagster(settings: Settings) -> str:  # noqa: ARG001 -- the signature of all checks
    home = checked_dagster_home()
    with open_instance() as instance:
        runs = instance.get_runs_count()
    return f"{home}, {runs} runs stored"
