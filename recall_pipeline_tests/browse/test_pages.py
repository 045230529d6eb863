"""What the overview, the page of a day and the page of a recording show."""

import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from recall_pipeline.browse.transcripts import TRANSCRIPT_TEXTS
from recall_pipeline.catalog import CATALOG, WAVEFORMS, CatalogRow
from recall_pipeline.days import clock_replaced
from recall_pipeline.fixity import FIXITY, FIXITY_KEY, FixityRow
from recall_pipeline.storage import Archive, Table
from recall_pipeline_tests.browse.conftest import Serve
from recall_pipeline_tests.browse.meetings import (
    DAY,
    HOSTILE,
    LINES,
    NEXT_DAY,
    NINE,
    row,
    with_audio,
    write_day,
    write_transcripts,
    write_waveforms,
)
from recall_pipeline_tests.workspace import an_id

PAGE = f"/days/{DAY}"


class Parsed(HTMLParser):
    """The tags and the names of attributes of a page, as a browser sees them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.scripts = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.scripts += tag == "script"


def page_of(row: CatalogRow) -> str:
    return f"{PAGE}/{row.recording_id}"


def words(html: str) -> str:
    """The text of a page, without tags and with single spaces."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def overview_of(client: httpx.Client, query: str = "") -> str:
    """The overview once every day is read."""
    while "being read now, and" in (text := client.get(f"/{query}").text):
        continue
    return text


def test_the_overview_shows_each_day_in_words_with_a_sign(client: httpx.Client) -> None:
    text = words(overview_of(client))
    assert "Monday 2 March 2026: 5 recordings, 3 without audio, 1 tried again at every sync" in text
    assert "Tuesday 3 March 2026: no recording" in text
    assert "▲3" in text


def test_the_overview_shows_outcomes_findings_and_when_a_day_was_synced(client: httpx.Client) -> None:
    text = words(overview_of(client))
    for shown in ("not requested", "damaged frames", "2026-03-02 09:00:00", "never", "Without audio ▲", "Open"):
        assert shown.replace("▲", "").strip() in text


def test_the_overview_shows_when_files_were_last_read_back(serve: Serve, archive: Archive) -> None:
    write_day(archive, row("read"))
    checks = [(NINE, "ok"), (NINE + timedelta(days=1), "content_mismatch"), (None, None)]
    rows = [FixityRow(f"key {n}", "original", DAY, None, None, 1, NINE, *check) for n, check in enumerate(checks)]
    FIXITY.write_file(archive, FIXITY_KEY, rows)
    client = serve(archive)
    assert "2026-03-02 09:00:00 1 damaged (1 not yet)" in words(overview_of(client))
    with archive.staged_file() as staged:
        staged.write_bytes(b"not Parquet")
        archive.publish(staged, FIXITY_KEY)
    assert "never" in words(overview_of(client))


def test_media_that_expire_soon_are_named(serve: Serve, archive: Archive) -> None:
    write_day(archive, row("late", "processing", expires_at=NINE + timedelta(hours=40)))
    client = serve(archive)
    with clock_replaced(lambda: NINE + timedelta(hours=1)):
        assert "Recall.ai removes these media within 48 hours" in overview_of(client)
    with clock_replaced(lambda: NINE + timedelta(hours=41)):
        assert "Recall.ai removes these media" not in overview_of(client)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("outcome=corrupt", "corrupt"),
        ("platform=microsoft_teams", "corrupt"),
        ("bot=Notetaker+of+processing", "processing"),
        (f"bot={an_id('ready bot')}", "ready"),
        ("finding=damaged_frames", "ready"),
        ("metadata=team%3Dready", "ready"),
        ("metadata=team%3Dready&outcome=ready&platform=zoom", "ready"),
        ("metadata=a%3Cb%3E", "hostile"),
        ("outcome=&platform=&bot=Notetaker+of+corrupt&metadata=", "corrupt"),
    ],
)
def test_a_filter_is_a_link_and_shows_matching_rows(
    client: httpx.Client, rows: dict[str, CatalogRow], query: str, name: str
) -> None:
    assert "Monday 2 March 2026: 1 recordings" in words(overview_of(client, f"?{query}"))
    shown = re.findall(rf"{PAGE}/([0-9a-f-]{{36}})\b", client.get(f"{PAGE}?{query}").text)
    assert set(shown) == {rows[name].recording_id}


@pytest.mark.parametrize("query", ["outcome=nothing", "metadata=team%3Dother", "bot=%22%3E", "finding=x&outcome=ready"])
def test_a_filter_without_matches_shows_a_message(client: httpx.Client, query: str) -> None:
    assert "No matching row" in client.get(f"{PAGE}?{query}").text
    assert overview_of(client, f"?{query}")


@pytest.mark.parametrize("until", ["2025-12", "2026-03", "2099-01", "0001-01", "x", "9999-12", "2026-13", ""])
def test_any_month_can_be_asked_for(client: httpx.Client, until: str) -> None:
    assert client.get("/", params={"until": until}).status_code == 200


def test_an_empty_archive_shows_how_to_begin(serve: Serve, archive: Archive) -> None:
    assert "recall-pipeline sync" in serve(archive).get("/").text


def test_a_day_that_cannot_be_read_is_shown_as_such_and_the_others_stay(serve: Serve, archive: Archive) -> None:
    write_day(archive, row("fine"), day=NEXT_DAY)
    with archive.staged_file() as staged:
        staged.write_bytes(b"not Parquet")
        archive.publish(staged, CATALOG.key(DAY))
    client = serve(archive)
    text = overview_of(client)
    assert "the catalog cannot be read" in words(text)
    assert f"/days/{NEXT_DAY}" in text
    answer = client.get(PAGE)
    assert answer.status_code == 503
    assert "restore it from a backup" in answer.text


def test_a_day_between_others_without_a_catalog_is_a_hole(serve: Serve, archive: Archive) -> None:
    write_day(archive, row("first"))
    write_day(archive, row("last"), day=DAY + timedelta(days=2))
    assert "Tuesday 3 March 2026: no catalog: not synced" in words(overview_of(serve(archive)))


def test_a_day_shows_why_audio_is_missing_and_how_many_are_erased(
    client: httpx.Client, rows: dict[str, CatalogRow]
) -> None:
    text = client.get(PAGE).text
    assert "cut short" in text
    assert "1 erased: only the audit names them." in text
    assert rows["forgotten"].recording_id not in text


def test_a_long_day_has_pages(serve: Serve, archive: Archive) -> None:
    write_day(archive, *(row(f"call {number}", created_at=NINE + timedelta(seconds=number)) for number in range(450)))
    client = serve(archive)
    shown = [
        set(re.findall(rf"{PAGE}/([0-9a-f-]{{36}})", client.get(f"{PAGE}?page={page}").text)) for page in (0, 1, 2)
    ]
    assert [len(ids) for ids in shown] == [200, 200, 50]
    assert len(set.union(*shown)) == 450
    assert "Page 3 of 3" in client.get(f"{PAGE}?page=99999").text


@pytest.mark.parametrize("day", ["2026-03-99", "20260302", "2026-W10-1", "x", "2026-3-2", "2020-01-01", "%00", "..%2f"])
def test_what_is_not_a_day_of_the_archive_is_not_found(client: httpx.Client, day: str) -> None:
    assert client.get(f"/days/{day}").status_code == 404
    assert client.get(f"/days/{day}/{an_id('ready')}").status_code == 404


def test_a_recording_shows_players_waveform_transcript_and_the_command(
    client: httpx.Client, rows: dict[str, CatalogRow]
) -> None:
    text = client.get(page_of(rows["ready"])).text
    assert text.count("<audio ") == 2
    assert '<rect class="quiet" x="5.0" y="0" width="5.0"' in text
    assert '<rect class="place" x="7.5"' in text
    assert all(line in text for line in LINES)
    assert f"recall-pipeline sync --recording {rows['ready'].recording_id}" in text
    assert str(rows["ready"].audio_sha256) in text
    assert "-20.0 LUFS → -16.0 LUFS" in text


def test_a_moment_in_the_address_is_where_the_players_start(client: httpx.Client, rows: dict[str, CatalogRow]) -> None:
    ready = rows["ready"]
    text = client.get(page_of(ready), params={"t": "7.5", "audio": ready.audio_id}).text
    assert '/normalized#t=7.5"' in text
    assert 'class="now"' in text
    for wrong in ("x", "-1", "nan", "inf", '"><b>'):
        assert "#t=" not in client.get(page_of(ready), params={"t": wrong}).text


def test_a_recording_without_audio_shows_the_reason_first(client: httpx.Client, rows: dict[str, CatalogRow]) -> None:
    text = client.get(page_of(rows["processing"])).text
    assert "Recall is still working on it: <strong>Recall is working on it</strong>" in text
    assert "<audio" not in text


def test_every_mp3_of_a_recording_has_its_own_part(serve: Serve, archive: Archive) -> None:
    first = with_audio(archive, row("twice"))
    second = with_audio(archive, replace(row("twice"), audio_id=an_id("second")))
    write_day(archive, first, second)
    text = serve(archive).get(page_of(first)).text
    assert text.count("<article") == 2
    assert text.count("No waveform is stored for this file") == 2
    assert text.count("No transcript") == 2


def test_waveform_and_transcript_of_another_content_are_not_taken_for_this_one(serve: Serve, archive: Archive) -> None:
    ready = with_audio(archive, row("ready"))
    older = replace(ready, audio_sha256="0" * 64)
    write_day(archive, ready)
    write_waveforms(archive, older)
    write_transcripts(archive, older)
    text = serve(archive).get(page_of(ready)).text
    assert "No waveform is stored" in text
    assert "Made from an earlier version of this audio" in text


@pytest.mark.parametrize("table", [WAVEFORMS, TRANSCRIPT_TEXTS], ids=lambda table: table.name)
def test_a_damaged_table_beside_the_catalog_costs_its_part_only(
    serve: Serve, archive: Archive, table: Table[Any]
) -> None:
    ready = with_audio(archive, row("ready"))
    write_day(archive, ready)
    client, catalog = serve(archive), archive.read(CATALOG.key(DAY)) or b""
    for content in (b"not Parquet", catalog):
        with archive.staged_file() as staged:
            staged.write_bytes(content)
            archive.publish(staged, table.key(DAY))
        answer = client.get(page_of(ready))
        assert answer.status_code == 200
        assert answer.text.count("<audio ") == 2


def test_the_rows_are_there_as_json(client: httpx.Client, rows: dict[str, CatalogRow]) -> None:
    answer = client.get(f"{page_of(rows['ready'])}.json")
    assert answer.headers["content-type"] == "application/json"
    (stored,) = answer.json()
    assert set(stored) == set(CATALOG.columns)
    assert stored["created_at"] == NINE.isoformat()
    assert stored["audio_sha256"] == rows["ready"].audio_sha256
    assert client.get(f"{PAGE}/{an_id('nobody')}.json").status_code == 404


def test_infinite_levels_are_null_in_json(serve: Serve, archive: Archive) -> None:
    silent = row("silent", "silent", source_lufs=float("-inf"), audio_lufs=float("nan"))
    write_day(archive, silent)
    (stored,) = serve(archive).get(f"{page_of(silent)}.json").json()
    assert (stored["source_lufs"], stored["audio_lufs"]) == (None, None)


def test_hostile_names_are_text_everywhere(client: httpx.Client, rows: dict[str, CatalogRow]) -> None:
    hostile = rows["hostile"]
    for path in (
        "/",
        PAGE,
        page_of(hostile),
        "/search?q=script",
        f"{PAGE}?platform={HOSTILE[:20]}",
        "/search?q=%22%3E%3Cscript%3E",
    ):
        text = overview_of(client) if path == "/" else client.get(path).text
        parsed = Parsed(text)
        assert parsed.scripts == 1  # the page's own
        assert "img" not in parsed.tags
        assert [name for name in parsed.attributes if name.startswith("on") or name == "style"] == []
        assert "{{ 49" not in text
    assert "alert(1)" in client.get(page_of(hostile)).text


def test_a_table_of_an_older_version_is_shown(serve: Serve, archive: Archive) -> None:
    old = row("old", outcome_reason="decodes to 3 s")
    write_day(archive, old)
    content = CATALOG.load_file(archive, CATALOG.key(DAY))
    assert content is not None
    with archive.staged_file() as staged:
        pq.write_table(content.drop_columns(["findings", "source_key", "audio_key"]), staged)
        archive.publish(staged, CATALOG.key(DAY))
    client = serve(archive)
    assert "1 recordings" in words(overview_of(client))
    assert "decodes to 3 s" in client.get(page_of(old)).text


@pytest.mark.parametrize("path", ["/nothing", "/static/other.css", "/static/..%2fpages.py", "/days", "/days/", "/%00"])
def test_other_addresses_are_not_found(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404
