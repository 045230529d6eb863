"""A recording that is erased is gone from every page, from the audio and from the search at once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from recall_pipeline.browse import ArchivePage
from recall_pipeline.catalog import CatalogRow
from recall_pipeline.storage import Archive
from recall_pipeline_tests.browse.conftest import Serve, served
from recall_pipeline_tests.browse.meetings import (
    DAY,
    note_erasure,
    row,
    with_audio,
    write_day,
    write_transcripts,
    write_waveforms,
)

WORD = "zebrafinch"


@pytest.fixture
def meetings(archive: Archive) -> tuple[CatalogRow, CatalogRow]:
    """Two recordings; the first one is to be erased."""
    first, second = (with_audio(archive, row(name)) for name in (WORD, "other"))
    write_day(archive, first, second)
    write_waveforms(archive, first, second)
    write_transcripts(archive, first, second, lines=(f"the {WORD} sings", "and is silent"))
    return first, second


def redact(archive: Archive, first: CatalogRow, second: CatalogRow) -> None:
    """The end of an erasure: the catalog's row has ids only."""
    write_day(archive, first.redacted(), second)


def begin(archive: Archive, first: CatalogRow, second: CatalogRow) -> None:
    """The begin of an erasure: only the audit has it."""
    note_erasure(archive, first)


@pytest.mark.parametrize("erase", [begin, redact])
def test_it_is_gone_at_once(
    serve: Serve,
    archive: Archive,
    meetings: tuple[CatalogRow, CatalogRow],
    erase: Callable[[Archive, CatalogRow, CatalogRow], None],
) -> None:
    client, (first, second) = serve(archive), meetings
    pages = _pages_of(first)
    assert [client.get(path).status_code for path in pages] == [200] * len(pages)
    assert first.recording_id in client.get(f"/search?q={WORD}").text
    erase(archive, first, second)
    assert [client.get(path).status_code for path in pages] == [410, 404, 404, 404]
    for path in (
        f"/days/{DAY}",
        f"/search?q={WORD}",
        f"/search?q={first.recording_id}",
        "/search?q=silent",
        "/",
        *pages,
    ):
        text = client.get(path).text.replace("zebrafinch%22", "").replace(f'value="{WORD}"', "")
        assert f"Notetaker of {WORD}" not in text
        assert f"the <mark>{WORD}" not in text
        assert f"{first.recording_id}?" not in text
    assert second.recording_id in client.get(f"/days/{DAY}").text
    assert "1 erased" in client.get(f"/days/{DAY}").text


def test_the_index_forgets_it_with_its_next_update(archive: Archive, meetings: tuple[CatalogRow, CatalogRow]) -> None:
    first, second = meetings
    with served(archive) as (page, client):
        redact(archive, first, second)
        page.pages.indexer.update()
        assert _indexed(page, WORD) == {second.recording_id}  # whose transcript has the word too
        assert second.recording_id in client.get(f"/search?q={WORD}").text


def test_no_text_of_a_meeting_is_in_a_file_that_others_can_open(
    archive: Archive, meetings: tuple[CatalogRow, CatalogRow], own_temporary_folder: Path
) -> None:
    with served(archive) as (page, client):
        assert client.get("/").status_code == 200
        assert _indexed(page, WORD)
        during = [path for path in own_temporary_folder.rglob("*") if path.is_file()]
        assert [path for path in during if WORD.encode() in path.read_bytes()] == []
    assert [path.name for path in during if path.stat().st_mode & 0o077] == []
    assert not any(name.startswith("search-") for name in (path.name for path in own_temporary_folder.rglob("*")))


def test_a_table_of_an_erased_day_that_is_removed_is_gone_from_the_index(
    archive: Archive, meetings: tuple[CatalogRow, CatalogRow]
) -> None:
    with served(archive) as (page, client):
        archive.remove(f"audio_catalog/day={DAY}/audio_catalog.parquet")
        assert client.get(f"/days/{DAY}").status_code == 404
        assert meetings[1].recording_id not in client.get(f"/search?q={WORD}").text
        page.pages.indexer.update()
        assert _indexed(page, WORD) == set()


def _pages_of(row: CatalogRow) -> list[str]:
    page = f"/days/{DAY}/{row.recording_id}"
    return [page, f"{page}.json", f"{page}/{row.audio_id}/normalized", f"{page}/{row.audio_id}/original"]


def _indexed(page: ArchivePage, word: str) -> set[str]:
    index = page.pages.index
    return {hit.found.recording_id for hit in index.search(word, 100, days=index.versions.keys())}
