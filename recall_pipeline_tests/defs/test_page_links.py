"""With RECALL_PAGE_URL, the metadata of a day links to the archive page; without it they have no link."""

from datetime import UTC, date, datetime

from recall_pipeline.catalog import CatalogReport, CatalogRow
from recall_pipeline.defs import RunContext
from recall_pipeline.defs.audio_catalog_asset import _catalog_report
from recall_pipeline.settings import Settings

DAY = date(2026, 3, 2)
ID = "c1a5c4be-0d4a-4b55-8f6e-1a2b3c4d5e6f"
ROW = CatalogRow(
    recording_id=ID,
    outcome="ready",
    created_at=datetime(2026, 3, 2, 9, tzinfo=UTC),
    duration_seconds=60.0,
    waveform="▁▂",
)


def metadata_with(folder_url: str, page_url: str | None) -> str:
    settings = Settings(storage_url=folder_url, page_url=page_url)
    report = _catalog_report(RunContext(settings), DAY, CatalogReport([ROW], 0), 0)
    return repr(report.metadata)


def test_a_day_and_its_recordings_are_linked(folder_url: str) -> None:
    text = metadata_with(folder_url, "https://archive.example.com/calls/")
    assert f"'https://archive.example.com/calls/days/{DAY}'" in text
    assert f"[listen](https://archive.example.com/calls/days/{DAY}/{ID})" in text
    assert f"'page': 'https://archive.example.com/calls/days/{DAY}/{ID}'" in text


def test_without_the_setting_there_is_no_link(folder_url: str) -> None:
    text = metadata_with(folder_url, None)
    assert "archive_page" not in text
    assert "http" not in text
