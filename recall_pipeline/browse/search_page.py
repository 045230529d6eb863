"""The search page: recordings and lines of transcripts with all words of a query, the newest first."""

from dataclasses import dataclass
from datetime import date
from itertools import groupby

from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from recall_pipeline.browse.day_reader import DayRows
from recall_pipeline.browse.indexing import day_versions
from recall_pipeline.browse.links import recording_link
from recall_pipeline.browse.pages import Pages
from recall_pipeline.browse.recording_page import canonical_id
from recall_pipeline.browse.search_index import MARK_END, MARK_START, SearchHit
from recall_pipeline.catalog import CatalogRow
from recall_pipeline.errors import StorageError

_HITS_A_PAGE = 40


@dataclass(frozen=True, slots=True)
class ShownHit:
    """A text that was found; `snippet` is HTML with the words that were found marked."""

    audio_id: str | None
    start: float | None
    snippet: Markup


@dataclass(frozen=True, slots=True)
class FoundRecording:
    """A recording's present row, and what was found in it."""

    day: date
    row: CatalogRow
    hits: list[ShownHit]


def search_page(pages: Pages, request: Request) -> Response:
    """Answer with what was found. Only days that are indexed in their present version are searched."""
    query = request.query_params.get("q", "").strip()
    present = day_versions(pages.archive)
    waiting = pages.indexer.stale(present)
    if waiting:
        pages.indexer.wake()
    fresh = present.keys() - set(waiting)
    hits = pages.index.search(query, _HITS_A_PAGE + 1, days=fresh, before=_position(request)) if query else []
    return pages.html(
        "search.html",
        query=query,
        hits=_shown_hits(pages, hits[:_HITS_A_PAGE]),
        more=hits[_HITS_A_PAGE - 1].position if len(hits) > _HITS_A_PAGE else None,
        waiting=len(waiting),
        days=len(present),
    )


def find_recording(pages: Pages, request: Request) -> Response:
    """Redirect from a recording's id to its page, if its day is indexed."""
    recording_id = canonical_id(request.path_params["recording_id"])
    days = pages.index.versions.keys()
    hits = pages.index.search(f'"{recording_id}"', 1, days=days) if recording_id else []
    found = [hit for hit in hits if hit.found.recording_id == recording_id]
    if not found or recording_id is None:
        return pages.message(404, "No such recording", "The search index has no such recording.")
    return RedirectResponse(recording_link(pages.root, found[0].day, recording_id), 302)


def _position(request: Request) -> int | None:
    text = request.query_params.get("before", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _shown_hits(pages: Pages, hits: list[SearchHit]) -> list[FoundRecording]:
    """Return the hits by recording; those of recordings that the catalog shows no more are left out."""
    found: list[FoundRecording] = []
    days = {day: _rows_of_day(pages, day) for day in {hit.day for hit in hits}}
    for (day, recording_id), own in groupby(hits, lambda hit: (hit.day, hit.found.recording_id)):
        if row := _present_row(pages, day, days[day], recording_id):
            shown = [ShownHit(hit.found.audio_id, hit.found.start, _marked(hit.found.text)) for hit in own]
            found.append(FoundRecording(day, row, shown))
    return found


def _rows_of_day(pages: Pages, day: date) -> DayRows | None:
    try:
        return pages.reader.rows(day)
    except StorageError:  # the page of the day reports it
        return None


def _present_row(pages: Pages, day: date, rows: DayRows | None, recording_id: str) -> CatalogRow | None:
    own = None if rows is None else rows.of_recording(recording_id).slice(0, 1)
    return pages.reader.typed(day, own)[0] if own is not None and len(own) else None


def _marked(snippet: str) -> Markup:
    """Return a snippet as HTML with its marks."""
    text = str(escape(snippet))
    return Markup(text.replace(MARK_START, "<mark>").replace(MARK_END, "</mark>"))  # noqa: S704  escaped above
