"""`doctor`: is everything in place? One line each, and what to do on a fault."""

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path

import click

from recall_pipeline.cli.instance import checked_dagster_home, open_instance
from recall_pipeline.cli.main import FAILED
from recall_pipeline.errors import PipelineError, RecallError, RecallUnauthorized
from recall_pipeline.recall_api import RetryPolicy, open_client
from recall_pipeline.settings import REGIONS, Settings, load_settings
from recall_pipeline.storage import open_archive

_ONCE = RetryPolicy(attempts=1, deadline_seconds=20)


@click.command("doctor")
def doctor_command() -> int:
    """Check settings, key and region, storage, audio libraries and Dagster home.

    One line each, with what to do where something is wrong. The storage is written to, read and cleaned up; of
    Recall.ai one list is asked for. Exit status: 0 all well, 1 a fault, 2 wrong settings.
    """
    settings = load_settings()
    checks: dict[str, Callable[[Settings], str]] = {
        "settings": lambda s: f"archive at {s.storage_root}, from {s.start_date} on",
        "key": _check_key,
        "storage": _storage,
        "audio": _audio,
        "dagster": _dagster,
    }
    faults = [name for name, check in checks.items() if not _print_result(name, check, settings)]
    return FAILED if faults else 0


def _print_result(name: str, check: Callable[[Settings], str], settings: Settings) -> bool:
    try:
        said = check(settings)
    except PipelineError as fault:
        click.echo(f"FAULT  {name:9} {fault}")
        return False
    except Exception as fault:  # a doctor looks at everything else all the same
        click.echo(f"FAULT  {name:9} {type(fault).__name__}: {' '.join(str(fault).split())}")
        return False
    click.echo(f"ok     {name:9} {said}")
    return True


def _check_key(settings: Settings) -> str:
    asyncio.run(_ask_api(settings))
    return f"accepted by {settings.base_url}"


async def _ask_api(settings: Settings) -> None:
    try:
        async with open_client(settings, _ONCE) as client:
            await client.ping()
    except RecallUnauthorized as refused:
        raise RecallUnauthorized(await _whose_key(settings)) from refused


async def _whose_key(settings: Settings) -> str:
    """Say why the key is refused: only asking the other regions tells a foreign key from a wrong one."""
    if settings.api_url is not None:
        return f"{settings.base_url} does not accept the key: check RECALL_API_KEY and RECALL_API_URL"
    home = await _region_of_key(settings)
    if home is not None:
        return f"the key belongs to another region: set RECALL_REGION={home}"
    return "no region of Recall.ai accepts the key: copy RECALL_API_KEY anew from Recall's dashboard"


async def _region_of_key(settings: Settings) -> str | None:
    """Return the region of Recall.ai that accepts the key; all four are the API's own hosts."""
    for region in REGIONS:
        elsewhere = settings.model_copy(update={"region": region})
        try:
            async with open_client(elsewhere, _ONCE) as client:
                await client.ping()
        except RecallError:
            continue
        return region
    return None


def _storage(settings: Settings) -> str:
    archive = open_archive(settings)
    key, content = "_doctor", b"written by recall-pipeline doctor"
    with archive.staged_file() as written:
        written.write_bytes(content)
        archive.publish(written, key)
    read = archive.read(key)
    archive.remove(key)
    archive.close_staging_folder()
    if read != content:
        raise PipelineError(
            f"{archive.uri(key)} reads back differently from what was written: do not trust this storage"
        )
    return f"wrote, read back and deleted below {settings.storage_root}"


def _audio(settings: Settings) -> str:
    try:
        with tempfile.TemporaryDirectory() as folder:
            _normalize_a_tone(Path(folder), settings)
    except ImportError as missing:
        raise PipelineError(f"{missing}: install the project again (make demo)") from None
    return f"decoded and normalized a second of sound to {settings.audio_format}, {settings.audio_sample_rate_hz} Hz"


def _normalize_a_tone(folder: Path, settings: Settings) -> None:
    import numpy as np
    import soundfile

    from recall_pipeline.audio import normalize
    from recall_pipeline.catalog import target_of

    tone, rate_hz = folder / "tone.wav", 16000
    soundfile.write(tone, 0.1 * np.sin(2 * np.pi * 440 * np.arange(rate_hz) / rate_hz), rate_hz)
    normalize(tone, folder / f"tone.{settings.audio_format}", target_of(settings))


def _dagster(settings: Settings) -> str:  # noqa: ARG001 -- a check like the others
    home = checked_dagster_home()
    with open_instance() as instance:
        runs = instance.get_runs_count()
    return f"{home}, {runs} runs on file"
