"""An archive with recordings that a manifest contains, and some that it omits."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
import soundfile

from recall_pipeline.catalog import CATALOG, CatalogRow
from recall_pipeline.manifests import ExportReport, export
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, Layout
from recall_pipeline_tests.workspace import DAY, NINE, an_id

NEXT = DAY + timedelta(days=1)
LENGTHS = {"short": (16_001, 16_000, 1), "long": (48_123, 16_000, 1), "stereo": (44_100 * 2 + 7, 44_100, 2)}
"""Samples, sample rate in Hz, and channels of each ready recording; no duration is a whole number of seconds."""

Export = Callable[..., ExportReport]


def ready_row(archive: Archive, name: str, day: date) -> CatalogRow:
    """Return a ready row, and publish noise of its length as its normalized file."""
    samples, rate_hz, channels = LENGTHS[name]
    noise = np.random.default_rng(samples).integers(-9000, 9000, size=(samples, channels), dtype=np.int16)
    key = Layout.normalized(day, an_id(name), an_id(f"{name} mp3"), "flac")
    with archive.staged_file(suffix=".flac") as written:
        soundfile.write(written, noise, rate_hz)
        archive.publish(written, key)
    return CatalogRow(
        recording_id=an_id(name), audio_id=an_id(f"{name} mp3"), outcome="ready", created_at=NINE,
        bot_name="Notes, \"Köln\"", audio_uri=archive.uri(key), audio_sha256=f"{samples:064x}", audio_format="flac",
        audio_samples=samples, audio_sample_rate_hz=rate_hz, audio_channels=channels, speech_ratio=0.5,
        findings=["zero_runs", "duration_differs"],
    )  # fmt: skip


@pytest.fixture
def settings(storage_url: str) -> Settings:
    """Settings with an archive and without an API key."""
    return Settings(storage_url=storage_url)


@pytest.fixture
def cataloged(archive: Archive) -> Archive:
    """One day with two ready recordings, a silent one and one not requested; another day with a ready one."""
    short, long, stereo = (ready_row(archive, name, day) for name, day in zip(LENGTHS, (DAY, DAY, NEXT), strict=True))
    silent = replace(short, recording_id=an_id("silent"), audio_id=an_id("silent mp3"), outcome="silent")
    missing = CatalogRow(recording_id=an_id("missing"), outcome="not_requested", created_at=NINE)
    CATALOG.write(archive, DAY, [short, silent, long, missing])
    CATALOG.write(archive, NEXT, [stereo])
    return archive


@pytest.fixture
def exported(cataloged: Archive, settings: Settings, tmp_path: Path) -> Export:
    """Export a manifest format into the folder `out`."""
    return lambda kind, **options: export(settings, kind, tmp_path / "out", **options)
