"""The shape of a download link: where it is in an artifact, its host and path, the names in its query, its life."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from recall_pipeline.api_probe.shapes import uuid_of
from recall_pipeline.api_probe.words import EXTENSIONS, LINK_QUERY, MEDIA_HOSTS, split_names
from recall_pipeline.days import utc_now
from recall_pipeline.settings import is_loopback

_LONGEST_LIFE_HOURS = 200
_LONGEST_PATH = 12  # segments
_STAMP = re.compile(r"\d{8}T\d{6}Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class LinkReport:
    """The shape of a link. `segments` are words for the parts of its path; `life_hours` is rounded up."""

    place: str = "none"
    scheme: str = "none"
    host: str = "none"
    segments: list[str] = field(default_factory=list)
    extension: str = "none"
    percent_colon: bool = False
    other_escapes: bool = False
    query: list[str] = field(default_factory=list)
    unknown_query: int = 0
    life_hours: int | None = None
    new_at_each_read: bool | None = None


def links_in(artifact: Any) -> dict[str, str]:
    """Return the links of an artifact by their place: `nested` in `data`, or `flat`."""
    if not isinstance(artifact, dict):
        return {}
    data = artifact.get("data")
    places = {"nested": data.get("download_url") if isinstance(data, dict) else None}
    places["flat"] = artifact.get("download_url")
    return {place: link for place, link in places.items() if isinstance(link, str) and link}


def finished_mp3s(rows: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """Yield the artifacts that are done and not raw."""
    for row in rows:
        status = row.get("status") if isinstance(row, dict) else None
        code = status.get("code") if isinstance(status, dict) else status
        if code == "done" and row.get("format") in (None, "mp3"):
            yield row


def describe_link(listed: Any, looked_up: Any) -> tuple[LinkReport, str | None]:
    """Return the shape of an artifact's link, and the link; of its lookup, else of its row in the list."""
    before, links = links_in(listed), links_in(looked_up) or links_in(listed)
    if not links:
        return LinkReport(), None
    link = next(iter(links.values()))
    place = "both" if len(links) > 1 else next(iter(links))
    is_new = bool(before) and link not in before.values() if looked_up else None
    try:
        return _link_report(urlsplit(link), place, is_new), link
    except ValueError:
        return LinkReport(place=place, scheme="unreadable"), None


def _link_report(parts: SplitResult, place: str, is_new: bool | None) -> LinkReport:
    pairs = dict(parse_qsl(parts.query, keep_blank_values=True))
    query, unknown = split_names(pairs, LINK_QUERY)
    segments = [part for part in parts.path.split("/") if part][:_LONGEST_PATH]
    escapes = {escape.upper() for escape in re.findall(r"%[0-9a-fA-F]{2}", parts.path)}
    last = segments[-1].rpartition(".")[2].lower() if segments and "." in segments[-1] else ""
    return LinkReport(
        place=place,
        scheme=parts.scheme if parts.scheme in ("https", "http") else "other",
        host=_host_word(parts.hostname or ""),
        segments=[_segment_word(segment) for segment in segments],
        extension=last if last in EXTENSIONS else ("other" if last else "none"),
        percent_colon="%3A" in escapes,
        other_escapes=bool(escapes - {"%3A"}),
        query=query,
        unknown_query=unknown,
        life_hours=_life_hours(pairs),
        new_at_each_read=is_new,
    )


def _host_word(host: str) -> str:
    if host in MEDIA_HOSTS:
        return MEDIA_HOSTS[host]
    if is_loopback(host):
        return "loopback"
    if host.endswith(".amazonaws.com"):
        return "another host of S3"
    return "a host of Recall.ai" if host.endswith(".recall.ai") else "another host"


def _segment_word(segment: str) -> str:
    stem = unquote(segment).rpartition(".")[0] or unquote(segment)
    if uuid_of(stem):
        return "uuid"
    if stem.isdecimal():
        return "number"
    if ":" in stem:
        return "text with colon"
    return "hex" if re.fullmatch(r"[0-9a-fA-F]{8,}", stem) else "text"


def _life_hours(query: dict[str, str]) -> int | None:
    """Return how long a signed link is valid from now on, in hours rounded up, at most 200."""
    seconds = _seconds_left(query)
    return None if seconds is None else max(0, min(_LONGEST_LIFE_HOURS, -int(-seconds // 3600)))


def _seconds_left(query: dict[str, str]) -> float | None:
    until, lasts = query.get("Expires", ""), query.get("X-Amz-Expires", "")
    if re.fullmatch(r"\d{1,12}", until, re.ASCII):
        return int(until) - utc_now().timestamp()
    if re.fullmatch(r"\d{1,9}", lasts, re.ASCII) and _STAMP.fullmatch(query.get("X-Amz-Date", "")):
        return timedelta(seconds=int(lasts)).total_seconds()
    return None
