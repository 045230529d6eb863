"""Search over names, ids, metadata and transcripts; no query is an error."""

import sqlite3
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from recall_pipeline.browse.search_index import IndexedText, SearchIndex
from recall_pipeline.browse.search_words import indexed_text, match_expression, shown_text
from recall_pipeline.catalog import CatalogRow
from recall_pipeline.storage import Archive
from recall_pipeline_tests.browse.conftest import served
from recall_pipeline_tests.browse.meetings import DAY, row, write_day, write_transcripts
from recall_pipeline_tests.workspace import an_id

HOSTILE = (
    '"',
    "'",
    '""',
    "*",
    "a*b",
    "NEAR(a b)",
    "AND",
    "OR NOT",
    "a AND",
    "text:x",
    "{a b}:c",
    "^x",
    "-x",
    "x^2",
    "(",
    ")",
    "a\x00b",
    "'; DROP TABLE texts; --",
    '"unclosed phrase',
    "%00",
    "\u200b",
    "\ue000x\ue001",
    "🎙",
    "x" * 5000,
    "a " * 3000,
    "\\",
    ";",
    "a+b",
    "col:*",
    "\ud83d",
    "<script>",
    "{{7*7}}",
)


@pytest.mark.parametrize("query", HOSTILE, ids=range(len(HOSTILE)))
def test_no_query_is_an_error(client: httpx.Client, query: str) -> None:
    answer = client.get("/search", params={"q": query.encode("utf-8", "replace").decode()})
    assert answer.status_code == 200
    assert "<script>" not in answer.text


@pytest.mark.parametrize(
    "raw", ["q=%ff%fe", "q=%ed%a0%80", "q=a&q=b", "before=x", "q=a&before=99999999999999999999", "q=a&before=-1"]
)
def test_no_address_of_the_search_is_an_error(client: httpx.Client, raw: str) -> None:
    assert client.get(f"/search?{raw}").status_code == 200


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("notetaker of ready", "ready"),
        (an_id("corrupt"), "corrupt"),
        (an_id("corrupt")[:8], "corrupt"),
        (an_id("ready mp3"), "ready"),
        (an_id("processing bot"), "processing"),
        ("team processing", "processing"),
        ("QUARTERLY", "ready"),
        ("quart", "ready"),
        ("ubergabe", "ready"),
        ("Übergabe", "ready"),
        ('"on friday"', "ready"),
        ("議事録", "ready"),
        ("の議", "ready"),
        ("microsoft_teams", "corrupt"),
    ],
)
def test_it_finds_names_ids_metadata_and_spoken_words(
    client: httpx.Client, rows: dict[str, CatalogRow], query: str, name: str
) -> None:
    text = client.get("/search", params={"q": query}).text
    assert f"/days/{DAY}/{rows[name].recording_id}" in text
    assert sum(each.recording_id in text for each in rows.values()) == 1


@pytest.mark.parametrize("query", ['"friday on"', "quarterly friday", "議会", "uarterly"])
def test_it_does_not_find_other_words(client: httpx.Client, query: str) -> None:
    assert "Nothing found" in client.get("/search", params={"q": query}).text


def test_a_line_of_a_transcript_links_to_its_moment(client: httpx.Client, rows: dict[str, CatalogRow]) -> None:
    ready = rows["ready"]
    text = client.get("/search?q=friday").text
    assert f'{ready.recording_id}?audio={ready.audio_id}&amp;t=5.0"' in text
    assert "<mark>Friday</mark>" in text


def test_an_id_leads_to_its_page(client: httpx.Client, rows: dict[str, CatalogRow]) -> None:
    answer = client.get(f"/recordings/{rows['ready'].recording_id}")
    assert (answer.status_code, answer.headers["location"]) == (302, f"/days/{DAY}/{rows['ready'].recording_id}")
    for unknown in (an_id("nobody"), "x", rows["ready"].audio_id, rows["forgotten"].recording_id):
        assert client.get(f"/recordings/{unknown}").status_code == 404


def test_a_day_that_changed_is_not_searched_until_it_is_indexed_again(archive: Archive) -> None:
    write_day(archive, row("before"))
    with served(archive) as (page, client):
        assert an_id("before") in client.get("/search?q=notetaker").text
        write_day(archive, row("after"))
        text = client.get("/search?q=notetaker").text
        assert an_id("before") not in text
        assert "1 of 1 days are being indexed" in text
        page.pages.indexer.update()
        assert an_id("after") in client.get("/search?q=notetaker").text


def test_a_transcript_that_is_written_later_is_found(archive: Archive) -> None:
    write_day(archive, row("talk", audio_sha256="0" * 64))
    with served(archive) as (page, client):
        write_transcripts(archive, row("talk"))
        page.pages.indexer.update()
        assert an_id("talk") in client.get("/search?q=goodbye").text


def test_results_are_in_pages_and_each_is_shown_once(archive: Archive) -> None:
    days = [DAY + timedelta(days=n) for n in range(3)]
    for day in days:
        write_day(archive, *(row(f"{day} {n}") for n in range(20)), day=day)
    with served(archive) as (_, client):
        found, query = list[str](), "?q=notetaker"
        while query:
            text = client.get(f"/search{query}").text
            found += [part[:36] for part in text.split(f"/days/{DAY:%Y-%m}")[1:]]
            query = text.partition('<p class="pager"><a href="')[2].partition('"')[0].replace("&amp;", "&")
    assert len(found) == len(set(found)) == 60


def test_the_index_follows_the_archive_by_itself(archive: Archive) -> None:
    write_day(archive, row("before"))
    with served(archive) as (page, client):
        page.start()
        write_day(archive, row("after"))
        while an_id("after") not in client.get("/search?q=notetaker").text:  # each search wakes the indexer
            continue


def test_a_day_that_cannot_be_read_does_not_stop_the_index(archive: Archive) -> None:
    write_day(archive, row("fine"))
    with archive.staged_file() as staged:
        staged.write_bytes(b"not Parquet")
        archive.publish(staged, f"audio_catalog/day={DAY + timedelta(days=1)}/audio_catalog.parquet")
    with served(archive) as (_, client):
        assert an_id("fine") in client.get("/search?q=notetaker").text


def test_a_break_between_characters_is_not_shown() -> None:
    assert shown_text(indexed_text("会議 and แผน")) == "会議 and แผน"


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_every_expression_is_one_that_sqlite_accepts(text: str) -> None:
    expression = match_expression(text)
    database = sqlite3.connect(":memory:")
    database.execute("CREATE VIRTUAL TABLE t USING fts5(text)")
    if expression is not None:
        database.execute("SELECT * FROM t WHERE t MATCH ?", (expression,)).fetchall()
    database.close()


def test_replacing_a_day_leaves_the_other_days(own_temporary_folder: object) -> None:
    index, other = SearchIndex(), DAY + timedelta(days=1)
    for day in (DAY, other):
        index.replace(day, "1", [IndexedText(f"word {n}", f"{day}") for n in range(2500)])
    index.replace(DAY, "2", [IndexedText("word", "new")])
    hits = index.search("word", 10_000, days={DAY, other})
    assert len(hits) == 2501
    assert hits[-1].found == replace(hits[-1].found, recording_id="new")
    assert index.search("word", 10_000, days={DAY}) == hits[-1:]
    index.close()
