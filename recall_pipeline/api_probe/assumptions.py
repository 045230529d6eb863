"""What this project takes for granted about the service, and what a probe shows of it."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from recall_pipeline.api_probe.dialects import shapes

if TYPE_CHECKING:
    from recall_pipeline.api_probe.report import ProbeReport

HOLDS, FAILS, NOT_SEEN = "holds", "does not hold", "not seen"
_MOST_CLOCK_SECONDS = 60
_LONGEST_ANSWER_SECONDS = 60  # the client's read time-out
_SHORTEST_LIFE_HOURS = 1
Verdict = Callable[["ProbeReport"], bool | None]


def check_assumptions(report: "ProbeReport") -> dict[str, str]:
    """Return for each assumption `holds`, `does not hold` or `not seen`."""
    words = {True: HOLDS, False: FAILS, None: NOT_SEEN}
    return {name: words[verdict(report)] for name, (_, verdict) in ASSUMPTIONS.items()}


def _of_lists(test: Callable[..., bool | None]) -> Verdict:
    """Combine the verdicts on the lists that answered: one that fails decides."""

    def verdict(report: "ProbeReport") -> bool | None:
        found = [test(listed) for listed in report.lists.values() if listed.status is not None]
        return False if False in found else (True if True in found else None)

    return verdict


def _of_field(place: str, name: str, *words: str) -> Verdict:
    """Whether a field always has one of these shapes."""

    def verdict(report: "ProbeReport") -> bool | None:
        found = shapes(report, place, name)
        return found.keys() <= set(words) if found else None

    return verdict


def _known_codes(report: "ProbeReport") -> bool | None:
    return all("unknown" not in counts for counts in report.codes.values()) if report.codes else None


def _second_page_is_new(report: "ProbeReport") -> bool | None:
    second = [listed.second_page for listed in report.lists.values() if listed.second_page != "not asked"]
    return all(word == "other rows" for word in second) if second else None


def _filter_takes_times(report: "ProbeReport") -> bool | None:
    found = report.filters.get("join_at")
    return None if found is None or found.compares == "unknown" else found.compares != "dates only"


def _filters_work(report: "ProbeReport") -> bool | None:
    seen = [found.compares for found in report.filters.values() if found.compares != "unknown"]
    return "nothing" not in seen if seen else None


def _link_place(report: "ProbeReport") -> bool | None:
    done = report.codes.get("audio_mixed", {}).get("done")
    return report.link.place != "none" if done and report.lookups["audio_mixed"].status == 200 else None


def _media_test(test: Callable[["ProbeReport"], bool]) -> Verdict:
    return lambda report: test(report) if report.media.status is not None else None


def _clock(report: "ProbeReport") -> bool | None:
    return None if report.clock_seconds is None else abs(report.clock_seconds) <= _MOST_CLOCK_SECONDS


def _link_lasts(report: "ProbeReport") -> bool | None:
    return None if report.link.life_hours is None else report.link.life_hours >= _SHORTEST_LIFE_HOURS


def _missing_is_404(report: "ProbeReport") -> bool | None:
    return None if report.missing_object.status is None else report.missing_object.status == 404


def _lookups_match(report: "ProbeReport") -> bool | None:
    seen = [found.same_id for found in report.lookups.values() if found.status is not None]
    return all(seen) if seen else None


ASSUMPTIONS: Mapping[str, tuple[str, Verdict]] = {
    "lists_are_pages": (
        "every list answers an object with `results` and `next`",
        _of_lists(lambda listed: listed.status == 200 and listed.body == "page"),
    ),
    "rows_are_usable": (
        "every row has a UUID, and every recording its start",
        _of_lists(lambda listed: not listed.unusable_rows if listed.rows else None),
    ),
    "next_stays_on_the_host": (
        "`next` is null, or a URL of the host that was asked",
        _of_lists(lambda listed: listed.next_page in ("none", "same host", "same host, other scheme", "relative")),
    ),
    "pages_advance": ("the second page has other rows than the first", _second_page_is_new),
    "join_at_takes_times": ("`join_at_after` and `join_at_before` accept date-times", _filter_takes_times),
    "time_filters_work": ("the filters by time leave out other days", _filters_work),
    "lookups_match": ("a lookup answers the object that was asked for", _lookups_match),
    "missing_is_404": ("an object that does not exist answers 404", _missing_is_404),
    "created_at_is_a_time": (
        "`created_at` of a recording is a date-time with its zone",
        _of_field("recording", "created_at", "date-time"),
    ),
    "artifact_names_its_recording": (
        "an artifact names its recording",
        _of_field("audio_mixed.recording", "id", "uuid"),
    ),
    "status_is_an_object": (
        "`status` of an artifact is an object",
        _of_field("audio_mixed", "status", "object"),
    ),
    "embedded_status_is_there": (
        "a recording within a bot has its status",
        _of_field("bot.recordings[]", "status", "object"),
    ),
    "codes_are_documented": ("all codes are documented ones", _known_codes),
    "finished_mp3s_have_a_link": ("a finished MP3 has a link, nested or flat", _link_place),
    "links_last": ("a link is valid for an hour or more", _link_lasts),
    "media_need_no_key": (
        "the media host accepts a fresh link without the key",
        _media_test(lambda report: report.media.status in (200, 206)),
    ),
    "downloads_resume": (
        "the media host honours ranges and sends a strong ETag",
        _media_test(lambda report: report.media.ranges == "honoured" and report.media.etag == "strong"),
    ),
    "media_are_audio": (
        "the media host names an audio type",
        _media_test(lambda report: report.media.content_type.startswith("audio/")),
    ),
    "clocks_agree": ("both clocks agree within a minute", _clock),
    "lists_are_quick": (
        "a page takes less than the client's time-out",
        _of_lists(lambda listed: listed.seconds < _LONGEST_ANSWER_SECONDS),
    ),
}
"""By name: the assumption, and its verdict (None: the workspace shows nothing of it)."""
