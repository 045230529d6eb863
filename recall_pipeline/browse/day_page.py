"""The page of a day: every row, and why audio is missing."""

import re
from collections import Counter
from datetime import date

from starlette.requests import Request
from starlette.responses import Response

from recall_pipeline.browse.pages import Pages
from recall_pipeline.browse.row_filter import CatalogFilter
from recall_pipeline.catalog import AUDIBLE

_ROWS_A_PAGE = 200
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def day_page(pages: Pages, request: Request) -> Response:
    """Answer with a day's rows, the earliest first. Raises StorageError."""
    day = requested_day(request)
    found = pages.reader.rows(day) if day else None
    if day is None or found is None:
        return pages.message(404, "No such day", "The archive has no catalog of this day.")
    selected = CatalogFilter.from_query(request.query_params)
    matching = selected.matching(found.table).sort_by([("created_at", "ascending"), ("recording_id", "ascending")])
    first = min(page_number(request) * _ROWS_A_PAGE, max(0, len(matching) - 1))
    return pages.html(
        "day.html",
        day=day,
        rows=pages.reader.typed(day, matching.slice(first, _ROWS_A_PAGE)),
        count=len(matching),
        first=first,
        page=first // _ROWS_A_PAGE,
        pages=-(-len(matching) // _ROWS_A_PAGE),
        erased=found.erased,
        outcomes=Counter(matching.column("outcome").to_pylist()).most_common(),
        seconds=sum(filter(None, matching.column("duration_seconds").to_pylist())),
        selected=selected,
        audible=AUDIBLE,
        before=_neighbour(pages, day, -1),
        after=_neighbour(pages, day, 1),
    )


def requested_day(request: Request) -> date | None:
    """Return the day in the path of a request; None if it is not a date."""
    text = request.path_params["day"]
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def page_number(request: Request) -> int:
    """Return the number of the requested page, from 0."""
    text = request.query_params.get("page", "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0


def _neighbour(pages: Pages, day: date, direction: int) -> date | None:
    """Return the next cataloged day in a direction."""
    days = pages.archive.days("audio_catalog")
    others = [each for each in days if (each - day).days * direction > 0]
    return (min if direction > 0 else max)(others, default=None)
