"""The search page: recordings and lines of transcripts with all words of a query, the newest first."""

from dataclasses import dataclass
from datetime import date

from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

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
    """A hit with the present row of its recording; `snippet` is HTML with the words that were found marked."""

    day: date
    row: CatalogRow
    start: float | None
    snippet: Markup


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


def _shown_hits(pages: Pages, hits: list[SearchHit]) -> list[ShownHit]:
    """Return the hits whose recordings the catalog still shows, with their present rows."""
    shown = []
    for hit in hits:
        try:
            found = pages.reader.rows(hit.day)
            own = None if found is None else found.of_recording(hit.found.recording_id)
            rows = pages.reader.typed(hit.day, own) if own is not None else []
        except StorageError:
            continue
        if row := next((row for row in rows if row.audio_id == hit.found.audio_id), rows[0] if rows else None):
            shown.append(ShownHit(hit.day, row, hit.found.start, _marked(hit.found.text)))
    return shown


def _marked(snippet: str) -> Markup:
    """Return a snippet as HTML with its marks."""
    text = str(escape(snippet))
    return Markup(text.replace(MARK_START, "<mark>").replace(MARK_END, "</mark>"))  # noqa: S704  escaped above
