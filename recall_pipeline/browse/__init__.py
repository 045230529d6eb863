"""The archive page: a read-only web page of the archive, rendered on the server.

Belongs here: the pages of days, recordings and search results, the audio over HTTP Range, the protection against other
web sites, summaries of days, and the search index, which ends with the process.
Does not belong here: any write to the archive, any request to Recall.ai, the API key.
Comes in: the tables and audio of an archive. Goes out: HTML, JSON and audio. The application and its server are
imported on first use, because the link to the page needs neither.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from recall_pipeline.browse.links import day_link, recording_link

if TYPE_CHECKING:
    from recall_pipeline.browse.application import ArchivePage
    from recall_pipeline.browse.server import page_server

__all__ = ["ArchivePage", "day_link", "page_server", "recording_link"]

_LOADED_ON_USE = {"ArchivePage": "application", "page_server": "server"}


def __getattr__(name: str) -> Any:
    if name not in _LOADED_ON_USE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LOADED_ON_USE[name]}"), name)
