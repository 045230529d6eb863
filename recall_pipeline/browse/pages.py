"""What every page has: the archive and its readers, the templates, and answers in HTML and JSON."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from recall_pipeline.browse import text_formats
from recall_pipeline.browse.day_fixity import FixityByDay
from recall_pipeline.browse.day_reader import DayReader
from recall_pipeline.browse.indexing import Indexer
from recall_pipeline.browse.links import day_link, recording_link
from recall_pipeline.browse.search_index import SearchIndex
from recall_pipeline.browse.summaries import Summaries
from recall_pipeline.catalog import FINDINGS, OUTCOME_LABELS
from recall_pipeline.days import utc_now
from recall_pipeline.storage import Archive

STATIC_FILES = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}
_FILTERS: tuple[Callable[..., str], ...] = (
    text_formats.clock,
    text_formats.hours,
    text_formats.file_size,
    text_formats.level,
    text_formats.utc,
    text_formats.machine_time,
    text_formats.with_code,
    text_formats.words_of,
)


@dataclass(frozen=True, slots=True)
class Pages:
    """What the handlers of all pages share. `root` is the path of the page behind its proxy, without a final slash."""

    archive: Archive
    root: str
    reader: DayReader
    summaries: Summaries
    fixity: FixityByDay
    index: SearchIndex
    indexer: Indexer
    templates: Environment

    @classmethod
    def of(cls, archive: Archive, root: str) -> "Pages":
        """Return the pages of an archive. Nothing is read yet."""
        index = SearchIndex()
        indexer = Indexer(archive, index)
        readers = DayReader(archive), Summaries(archive), FixityByDay(archive)
        return cls(archive, root, *readers, index, indexer, _templates(root))

    def html(self, template: str, status: int = 200, **values: Any) -> Response:
        """Return a page."""
        return HTMLResponse(self.templates.get_template(template).render(now=utc_now(), **values), status)

    def message(self, status: int, title: str, text: str) -> Response:
        """Return a page with a message only."""
        return self.html("message.html", status, title=title, text=text)

    def close(self) -> None:
        """Stop the threads, and remove the search index."""
        self.indexer.stop()
        self.summaries.close()
        self.fixity.close()
        self.index.close()


@cache
def static_content(name: str) -> bytes:
    """Return the content of a style sheet, a script or a picture of this package."""
    return files("recall_pipeline.browse").joinpath("static", name).read_bytes()


def _static_link(root: str, name: str) -> str:
    """Return the address of a static file, which changes with its content."""
    return f"{root}/static/{name}?v={hashlib.sha256(static_content(name)).hexdigest()[:12]}"


def _templates(root: str) -> Environment:
    environment = Environment(
        loader=PackageLoader("recall_pipeline.browse"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update({each.__name__: each for each in _FILTERS})
    environment.globals.update(
        root=root,
        static=lambda name: _static_link(root, name),
        day_link=lambda day: day_link(root, day),
        recording_link=lambda day, recording_id: recording_link(root, day, recording_id),
        OUTCOMES=OUTCOME_LABELS,
        FINDINGS=FINDINGS,
    )
    return environment
