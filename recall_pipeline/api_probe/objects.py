"""How single objects answer: those of the lists, one that does not exist, and a path without its slash."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from recall_pipeline.api_probe.requests import ProbeAnswer, Requests
from recall_pipeline.api_probe.shapes import uuid_of
from recall_pipeline.api_probe.words import ERROR_KEYS, split_names
from recall_pipeline.recall_api import OBJECTS


@dataclass(frozen=True, slots=True)
class LookupReport:
    """How the lookup of a listed object answers, and which known fields differ from its row in the list."""

    status: int | None = None
    body: str = "not asked"
    seconds: float = 0.0
    same_id: bool = False
    only_in_lookup: list[str] = field(default_factory=list)
    only_in_list: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RefusalReport:
    """How an error answers; `location` is the word for where a redirect leads."""

    status: int | None = None
    body: str = "not asked"
    keys: list[str] = field(default_factory=list)
    unknown_keys: int = 0
    location: str = "none"


async def look_up(ask: Requests, kind: str, row: Any) -> tuple[LookupReport, dict[str, Any]]:
    """Look up a row of a list; return its description and the object."""
    row_id = uuid_of(row.get("id")) if isinstance(row, dict) else None
    answer = await ask.get(f"{ask.base_url}/{kind}/{row_id}/", f"get {kind}") if row_id else None
    if answer is None:
        return LookupReport(), {}
    found, known = answer.object, frozenset(OBJECTS[kind])
    return (
        LookupReport(
            status=answer.status,
            body=answer.body_kind,
            seconds=answer.seconds,
            same_id=uuid_of(found.get("id")) == row_id,
            only_in_lookup=sorted((found.keys() - row.keys()) & known) if found else [],
            only_in_list=sorted((row.keys() - found.keys()) & known) if found else [],
        ),
        found,
    )


def first_usable(rows: Iterable[Any]) -> Any:
    """Return the first row with an id; None if there is none."""
    return next((row for row in rows if isinstance(row, dict) and uuid_of(row.get("id"))), None)


async def ask_for_missing(ask: Requests) -> RefusalReport:
    """Look up a recording that does not exist."""
    return _refusal_report(await ask.get(f"{ask.base_url}/recording/{uuid4()}/", "get recording"), ask.base_url)


async def ask_without_slash(ask: Requests) -> RefusalReport:
    """Read a list by a path without its trailing slash."""
    return _refusal_report(await ask.get(f"{ask.base_url}/recording", "list recording"), ask.base_url)


def _refusal_report(answer: ProbeAnswer | None, base_url: str) -> RefusalReport:
    if answer is None:
        return RefusalReport()
    is_page = answer.body_kind == "page"
    body: Mapping[str, Any] = answer.body if isinstance(answer.body, dict) and not is_page else {}
    keys, unknown = split_names(body, ERROR_KEYS)
    return RefusalReport(answer.status, answer.body_kind, keys, unknown, _location(answer, base_url))


def _location(answer: ProbeAnswer, base_url: str) -> str:
    location = answer.headers.get("location")
    if location is None:
        return "none"
    try:
        host = urlsplit(location).hostname
    except ValueError:
        return "unreadable"
    return "same host" if host in (None, urlsplit(base_url).hostname) else "another host"
