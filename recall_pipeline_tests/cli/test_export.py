"""`export` writes manifests without an API key, and prints where the audio is."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from recall_pipeline.catalog import CATALOG, CatalogRow
from recall_pipeline.storage import Archive, Layout
from recall_pipeline_tests.cli.conftest import Run
from recall_pipeline_tests.workspace import an_id

DAY = date(2026, 3, 2)


@pytest.fixture(autouse=True)
def cataloged(archive: Archive) -> None:
    """A recording of half an hour on each of three days."""
    for day in (DAY + timedelta(days=number) for number in range(3)):
        row = CatalogRow(
            recording_id=an_id(f"{day}"), audio_id=an_id(f"{day} mp3"), outcome="ready",
            created_at=datetime(day.year, day.month, day.day, 9, tzinfo=UTC),
            audio_uri=archive.uri(Layout.normalized(day, an_id(f"{day}"), an_id(f"{day} mp3"), "flac")),
            audio_samples=1800 * 16_000, audio_sample_rate_hz=16_000, audio_channels=1, audio_format="flac",
        )  # fmt: skip
        CATALOG.write(archive, day, [row])


def days_in(manifest: Path) -> list[str]:
    return [json.loads(line)["day"] for line in manifest.read_text().splitlines()]


def test_to_takes_the_format_and_the_last_day(run: Run, tmp_path: Path) -> None:
    result = run("export", "--to", "nemo", "--from", "2026-03-02", "--to", "2026-03-03", "--out", str(tmp_path / "new"))
    manifest = tmp_path / "new" / "manifest.jsonl"
    assert (result.status, result.err) == (0, "")
    assert result.out.startswith(f"{manifest}: 2 recordings, 1.00 hours.\n")
    assert "--copy" in result.out
    assert days_in(manifest) == ["2026-03-02", "2026-03-03"]


def test_without_days_all_recordings_are_exported(run: Run, tmp_path: Path) -> None:
    assert run("export", "--to", "nemo", "--out", str(tmp_path)).status == 0
    assert len(days_in(tmp_path / "manifest.jsonl")) == 3


def test_without_ready_recordings_it_refers_to_the_catalog(run: Run, tmp_path: Path) -> None:
    result = run("export", "--to", "csv", "--from", "2026-04-01", "--out", str(tmp_path))
    assert result.status == 0
    assert result.out.splitlines()[1] == "No recording of these days is ready: see `recall-pipeline catalog`."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "choose one manifest format: --to lhotse|nemo|huggingface|csv"),
        (["--to", "2026-03-02"], "choose one manifest format: --to lhotse|nemo|huggingface|csv"),
        (["--to", "nemo", "--to", "csv"], "choose one manifest format: --to lhotse|nemo|huggingface|csv"),
        (["--to", "nemo", "--to", "2026-03-02", "--to", "2026-03-03"], "more than one last day"),
        (["--to", "nemo", "--from", "2026-03-03", "--to", "2026-03-02"], "swap them"),
        (["--to", "kaldi"], "'kaldi' is neither a date nor one of lhotse|nemo|huggingface|csv"),
    ],
)
def test_wrong_usage_is_one_error_line(run: Run, tmp_path: Path, arguments: list[str], message: str) -> None:
    result = run("export", *arguments, "--out", str(tmp_path / "out"))
    assert result.status == 2
    assert message in result.error_line
    assert not (tmp_path / "out").exists()
