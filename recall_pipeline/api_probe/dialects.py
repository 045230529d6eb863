"""Names for the ways in which a workspace differs from docs/design/recall-api.md as v1.11 documents it."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recall_pipeline.api_probe.report import ProbeReport

DOCUMENTED = "documented-v1.11"
_SLOW_SECONDS = 1.0
_EMBEDDED = "bot.recordings[]"
Test = Callable[["ProbeReport"], bool]


def name_dialect(report: "ProbeReport") -> list[str]:
    """Return the names of all differences, in the order of `DIALECTS`; `documented-v1.11` if there is none."""
    return [name for name, (_, test) in DIALECTS.items() if test(report)] or [DOCUMENTED]


def _stopped(word: str) -> Test:
    return lambda report: report.stopped == word


def _paged(kind: str, *styles: str) -> Test:
    return lambda report: kind in report.lists and report.lists[kind].paging in styles


def _any_list(attribute: str, *words: str) -> Test:
    return lambda report: any(getattr(listed, attribute) in words for listed in report.lists.values())


def _is_unreadable(report: "ProbeReport") -> bool:
    return any(listed.status == 200 and listed.body != "page" for listed in report.lists.values())


def shapes(report: "ProbeReport", place: str, name: str) -> Mapping[str, int]:
    """Return how often a field had each shape; a field that no object has was always absent."""
    seen = report.fields.get(place)
    if seen is None or not seen.objects:
        return {}
    return seen.fields.get(name) or {"absent": seen.objects}


def _always(report: "ProbeReport", place: str, name: str, *words: str) -> bool:
    found = shapes(report, place, name)
    return bool(found) and found.keys() <= set(words)


def _ever(report: "ProbeReport", place: str, name: str, *words: str) -> bool:
    return bool(shapes(report, place, name).keys() & set(words))


def _has_v1_10_recordings(report: "ProbeReport") -> bool:
    return all(_ever(report, _EMBEDDED, name, "absent") for name in ("status", "media_shortcuts"))


def _has_null_recordings(report: "ProbeReport") -> bool:
    return any(_ever(report, _EMBEDDED, name, "null") for name in ("status", "media_shortcuts", "metadata"))


def _has_no_shortcuts(report: "ProbeReport") -> bool:
    """Whether no recording shows its MP3, although the list of MP3s has some."""
    shown = _ever(report, "recording.media_shortcuts", "audio_mixed", "object")
    return "recording" in report.fields and "audio_mixed" in report.fields and not shown


def _has_only_expired(report: "ProbeReport") -> bool:
    is_listed = "recording" in report.fields or _EMBEDDED in report.fields
    return bool(report.codes.get("bot", {}).get("media_expired")) and not is_listed


def _has_texts_as_statuses(report: "ProbeReport") -> bool:
    return any(_ever(report, place, "status", "text") for place in ("recording", "audio_mixed", _EMBEDDED))


def _has_ids_as_references(report: "ProbeReport") -> bool:
    return _ever(report, "recording", "bot", "uuid") or _ever(report, "audio_mixed", "recording", "uuid")


def _is_done_without_link(report: "ProbeReport") -> bool:
    done = report.codes.get("audio_mixed", {}).get("done", 0)
    return bool(done) and report.lookups["audio_mixed"].status == 200 and report.link.place == "none"


def _is_media_refused(report: "ProbeReport") -> bool:
    return report.media.error not in ("none", "redirect") or (report.media.status or 0) >= 400


def _is_not_audio(report: "ProbeReport") -> bool:
    return report.media.status in (200, 206) and not report.media.content_type.startswith("audio/")


def _has_unknown_codes(report: "ProbeReport") -> bool:
    return any("unknown" in counts for counts in report.codes.values())


def _created_at(bound: str, word: str) -> Test:
    return lambda report: "created_at" in report.filters and getattr(report.filters["created_at"], bound) == word


def _compares(name: str, word: str) -> Test:
    return lambda report: name in report.filters and report.filters[name].compares == word


DIALECTS: Mapping[str, tuple[str, Test]] = {
    "no-answer": ("the API does not answer", _stopped("no answer")),
    "key-refused": ("the key is wrong, or belongs to another region", _stopped("the key is refused")),
    "out-of-credit": ("the workspace is out of credit", _stopped("out of credit")),
    "firewall": ("a firewall refuses requests from this address", _stopped("the firewall refuses")),
    "throttled": ("the request limit is used up by others", _stopped("throttled")),
    "lists-fail": (
        "a list answers an error",
        lambda report: any((listed.status or 200) >= 300 for listed in report.lists.values()) and not report.stopped,
    ),
    "pages-unreadable": ("a list answers without `results` or `next`", _is_unreadable),
    "rows-unusable": (
        "rows of a list have no usable id, or no start",
        lambda report: any(listed.unusable_rows for listed in report.lists.values()),
    ),
    "bots-paged-by-cursor": ("the list of bots is paged by cursor", _paged("bot", "cursor")),
    "recordings-paged-by-number": ("the list of recordings is paged by number", _paged("recording", "page number")),
    "paged-by-offset": ("a list is paged by offset", _any_list("paging", "offset")),
    "next-on-another-host": (
        "`next` names another host or path",
        _any_list("next_page", "another host", "another host of Recall.ai", "another path"),
    ),
    "next-with-another-scheme": (
        "`next` names http instead of https",
        _any_list("next_page", "same host, other scheme"),
    ),
    "next-relative": ("`next` is a path", _any_list("next_page", "relative")),
    "next-unreadable": ("`next` is not a URL", _any_list("next_page", "not a URL", "unreadable")),
    "next-in-a-circle": ("the second page has the rows of the first", _any_list("second_page", "the same rows")),
    "pages-repeat-rows": (
        "pages share rows",
        lambda report: any(
            listed.repeated_rows and listed.second_page != "the same rows" for listed in report.lists.values()
        ),
    ),
    "join-at-compares-dates": ("the filter `join_at` compares dates", _compares("join_at", "dates")),
    "join-at-takes-dates-only": ("the filter `join_at` refuses date-times", _compares("join_at", "dates only")),
    "time-filters-ignored": (
        "a filter by time is ignored",
        lambda report: any(tried.compares == "nothing" for tried in report.filters.values()),
    ),
    "created-at-refuses-times": ("the filter `created_at` refuses date-times", _created_at("lower", "refused")),
    "created-at-lower-excluded": ("`created_at_after` excludes its bound", _created_at("lower", "excluded")),
    "created-at-upper-included": ("`created_at_before` includes its bound", _created_at("upper", "included")),
    "v1.10-embedded-recordings": ("bots embed recordings without a status", _has_v1_10_recordings),
    "null-embedded-fields": ("fields of embedded recordings are null", _has_null_recordings),
    "statuses-as-text": ("a status is its code, without an object around it", _has_texts_as_statuses),
    "references-as-ids": ("a reference is an id, without an object around it", _has_ids_as_references),
    "bots-without-recordings": (
        "bots lack the field `recordings`",
        lambda report: _always(report, "bot", "recordings", "absent"),
    ),
    "no-shortcuts": ("recordings do not show their MP3", _has_no_shortcuts),
    "meeting-urls-cleared": (
        "`meeting_url` is null in every bot",
        lambda report: _always(report, "bot", "meeting_url", "null", "absent"),
    ),
    "join-at-cleared": (
        "`join_at` is null in every bot",
        lambda report: _always(report, "bot", "join_at", "null", "absent"),
    ),
    "media-kept-for-ever": (
        "`expires_at` is null in every recording",
        lambda report: _always(report, "recording", "expires_at", "null", "absent"),
    ),
    "all-media-expired": ("histories of bots have `media_expired`, and no recording is listed", _has_only_expired),
    "flat-download-url": ("the link is beside `data`", lambda report: report.link.place == "flat"),
    "two-download-urls": ("the link is in `data` and beside it", lambda report: report.link.place == "both"),
    "done-without-link": ("a finished MP3 has no link", _is_done_without_link),
    "percent-encoded-colon": ("the path of a link has `%3A`", lambda report: report.link.percent_colon),
    "media-refused": ("the media host refuses a fresh link", _is_media_refused),
    "media-redirects": ("the media host redirects", lambda report: report.media.error == "redirect"),
    "no-ranges": ("the media host ignores ranges", lambda report: report.media.ranges in ("ignored", "wrong")),
    "no-etag": (
        "the media host sends no strong ETag",
        lambda report: report.media.status in (200, 206) and report.media.etag != "strong",
    ),
    "no-length": (
        "the media host states no length",
        lambda report: report.media.status in (200, 206) and report.media.length == "not stated",
    ),
    "media-not-audio": ("the media host names another type than audio", _is_not_audio),
    "unknown-codes": ("codes that are not documented", _has_unknown_codes),
    "slow": (
        "an answer takes over a second",
        lambda report: any(listed.seconds > _SLOW_SECONDS for listed in report.lists.values()),
    ),
}
"""By name: what is different, and the test for it."""
