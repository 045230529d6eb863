"""Read a report of `recall-pipeline doctor --probe`, and answer as it says: `Sandbox(world, **switches_like(report))`.

Unknown words of a report change nothing, so that a report of another version can be replayed as far as it is known.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from recall_sandbox.like_switches import NextPage

FORMAT = 1
_KINDS = ("bot", "recording", "audio_mixed")
_NOTICEABLE_SECONDS = 0.05
_MOST_SECONDS = 60.0
_STATUS_OF_STOP = {"the key is refused": 401, "out of credit": 402, "the firewall refuses": 403, "throttled": 429}
_ORDERS = {"newest": "newest", "oldest": "oldest"}
_GRANULARITIES = {"date-times": "datetime", "dates": "date", "dates only": "date_only", "nothing": "ignored"}
_CLOSED = {
    ("included", "excluded"): "left",
    ("excluded", "included"): "right",
    ("included", "included"): "both",
    ("excluded", "excluded"): "neither",
}
_NEXT_PAGES = frozenset(get_args(NextPage)) - {"same host", "the same page"}
_STORAGE_STATUS = {"ExpiredToken": 400, "NoSuchKey": 404}


class NotAReport(Exception):
    """A file is not a report of a probe; the text states the reason and what to do."""


def read_report(file: Path) -> Mapping[str, Any]:
    """Return the report in a file; raise NotAReport for anything else."""
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not JSON"
        raise NotAReport(f"{file} cannot be read ({reason}): name a file that `doctor --probe` wrote.") from None
    if not isinstance(found, dict) or type(found.get("probe_format")) is not int:
        raise NotAReport(f"{file} is not a report of a probe: name a file that `doctor --probe` wrote.")
    if found["probe_format"] > FORMAT:
        raise NotAReport(f"{file} has the newer format {found['probe_format']}: update this project.")
    return found


def switches_like(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the switches of `Sandbox` under which it answers as a report says."""
    lists = {kind: _report_part(_report_part(report, "lists"), kind) for kind in _KINDS}
    return {
        **_list_switches(report, lists),
        **_filter_switches(report),
        **_field_switches(report),
        **_link_switches(_report_part(report, "link")),
        **_media_switches(_report_part(report, "media")),
    }


def _report_part(report: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a part of a report; an empty one where the report has none."""
    found = report.get(name)
    return found if isinstance(found, dict) else {}


def _list_switches(report: Mapping[str, Any], lists: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    styles = ("page number", "cursor", "offset")
    orders = [_ORDERS[found["order"]] for found in lists.values() if found.get("order") in _ORDERS]
    seconds = {kind: _positive_number(found, "seconds") for kind, found in lists.items()}
    sizes = {kind: int(_positive_number(found, "page_size")) for kind, found in lists.items()}
    advancing = [found for found in lists.values() if found.get("second_page") != _CIRCLE]
    repeated = [int(_positive_number(found, "repeated_rows")) for found in advancing]
    return {
        "paging": {kind: found["paging"] for kind, found in lists.items() if found.get("paging") in styles},
        "page_sizes": {kind: size for kind, size in sizes.items() if size > 0},
        "order": orders[0] if orders else "scrambled",
        "repeat_rows": max(repeated, default=0),
        "use_cursor": report.get("cursor_for_bots") == "yes",
        "next_page": _next_page_switch(lists),
        "seconds": {k: min(found, _MOST_SECONDS) for k, found in seconds.items() if found >= _NOTICEABLE_SECONDS},
        "refusals": _refusals(report, lists),
        "bodies": {kind: _other_body(found) for kind, found in lists.items() if _other_body(found)},
        "all_media_expired": "all-media-expired" in (report.get("dialect") or []),
    }


_CIRCLE = "the same rows"


def _positive_number(found: Mapping[str, Any], name: str) -> float:
    value = found.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else 0.0


def _next_page_switch(lists: Mapping[str, Mapping[str, Any]]) -> str:
    if any(found.get("second_page") == _CIRCLE for found in lists.values()):
        return "the same page"
    return next((found["next_page"] for found in lists.values() if found.get("next_page") in _NEXT_PAGES), "same host")


def _refusals(report: Mapping[str, Any], lists: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    if status := _STATUS_OF_STOP.get(str(report.get("stopped"))):
        return dict.fromkeys(_KINDS, status)
    found = {kind: int(_positive_number(listed, "status")) for kind, listed in lists.items()}
    return {kind: status for kind, status in found.items() if 300 <= status < 600}


def _other_body(listed: Mapping[str, Any]) -> str:
    """Return the word for what a list answers instead of a page; empty for a page."""
    body = listed.get("body")
    return body if listed.get("status") == 200 and isinstance(body, str) and body != "page" else ""


def _filter_switches(report: Mapping[str, Any]) -> dict[str, Any]:
    join_at, created_at = (_report_part(_report_part(report, "filters"), name) for name in ("join_at", "created_at"))
    bounds = (created_at.get("lower"), created_at.get("upper"))
    closed = "ignored" if created_at.get("compares") == "nothing" else _CLOSED.get(bounds, "left")  # type: ignore[arg-type]
    return {
        "join_at_granularity": _GRANULARITIES.get(str(join_at.get("compares")), "datetime"),
        "created_at_closed": "refused" if "refused" in bounds else closed,
    }


def _field_switches(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the shapes of fields by place; the places of links follow from `link_place` instead."""
    all_places = _report_part(report, "fields").items()
    places = {place: found for place, found in all_places if _positive_number(_dict(found), "objects")}
    fields = {place: _shape_counts(_report_part(found, "fields")) for place, found in places.items()}
    for place in [place for place in fields if place.endswith("audio_mixed")]:
        fields[place] |= {"data": {"object": 1}, "download_url": {"url": 1, "null": 1, "absent": 1}}
    unlisted = {place: int(_positive_number(found, "unknown_names")) for place, found in places.items()}
    return {"fields": fields, "unlisted": {place: min(count, 100) for place, count in unlisted.items() if count}}


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _shape_counts(fields: Mapping[str, Any]) -> dict[str, Mapping[str, int]]:
    return {
        name: {shape: int(count) for shape, count in found.items() if isinstance(count, int) and count > 0}
        for name, found in fields.items()
        if isinstance(found, dict) and found
    }


def _link_switches(link: Mapping[str, Any]) -> dict[str, Any]:
    switches: dict[str, Any] = {"link_path": "colon" if link.get("percent_colon") is True else "plain"}
    if link.get("place") in ("flat", "both"):
        switches["link_place"] = link["place"]
    if hours := _positive_number(link, "life_hours"):
        switches["link_life_seconds"] = hours * 3600
    return switches


def _media_switches(media: Mapping[str, Any]) -> dict[str, Any]:
    status, code = media.get("status"), str(media.get("error"))
    if status is None:
        return {}
    is_error = isinstance(status, int) and 400 <= status < 600
    return {
        "media_error": (_STORAGE_STATUS.get(code, status), code) if is_error else None,
        "redirects": code == "redirect",
        "ranges": media.get("ranges") != "ignored",
        "etag": media.get("etag") if media.get("etag") in ("weak", "none") and not is_error else "strong",
        "has_length": media.get("length") != "not stated",
        "media_type": media.get("content_type") if "/" in str(media.get("content_type")) and not is_error else None,
    }
