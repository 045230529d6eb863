"""The report as text: what was found, how it differs from the documentation, and which assumptions hold."""

from collections.abc import Iterator, Mapping

from recall_pipeline.api_probe.assumptions import ASSUMPTIONS
from recall_pipeline.api_probe.dialects import DIALECTS, DOCUMENTED
from recall_pipeline.api_probe.listings import ListReport
from recall_pipeline.api_probe.report import ProbeReport
from recall_pipeline.api_probe.shapes import ObjectShape


def report_lines(report: ProbeReport) -> Iterator[str]:
    """Yield the lines of the report, in the order of reading."""
    yield f"{report.requests} requests, all of them reading."
    if report.stopped:
        yield f"Stopped at `{report.stopped_at}`: {report.stopped}."
    yield from _dialect(report)
    yield from _assumptions(report)
    yield "\nLists"
    yield from (f"  {kind:12} {_list_line(listed)}" for kind, listed in report.lists.items())
    yield f"  bots with use_cursor=true are paged by cursor: {report.cursor_for_bots}"
    yield f"  without a window: {report.unfiltered_bots} bots, {report.unfiltered_bots_without_join_at} without join_at"
    yield "\nFilters"
    for name, tried in report.filters.items():
        yield f"  {name:12} compares {tried.compares}; lower bound {tried.lower}, upper bound {tried.upper}"
    yield "\nObjects"
    for kind, found in report.lookups.items():
        yield f"  {kind:12} HTTP {found.status}, {found.body}, {found.seconds:.2f} s"
    yield f"  {'missing':12} HTTP {report.missing_object.status}, {report.missing_object.body}"
    yield f"  {'no slash':12} HTTP {report.without_slash.status}, leads to {report.without_slash.location}"
    yield from _media(report)
    yield from _headers(report)
    yield "\nFields: how many values have each shape"
    for place, shape in report.fields.items():
        yield from _fields(place, shape)
    yield "\nCodes"
    yield from (f"  {name:12} {_counted(counts)}" for name, counts in report.codes.items())
    yield f"\nClock of the service minus ours: {report.clock_seconds} s"


def _dialect(report: ProbeReport) -> Iterator[str]:
    if report.dialect == [DOCUMENTED]:
        yield "\nThe service answers as docs/design/recall-api.md describes it."
        return
    yield "\nDifferent from docs/design/recall-api.md"
    yield from (f"  {name:26} {DIALECTS[name][0]}" for name in report.dialect)


def _assumptions(report: ProbeReport) -> Iterator[str]:
    yield "\nAssumptions"
    for name, verdict in report.assumptions.items():
        yield f"  {verdict:13} {ASSUMPTIONS[name][0]}"


def _list_line(listed: ListReport) -> str:
    if listed.status is None:
        return listed.body
    size = f"page size {listed.page_size}" if listed.page_size else "page size unknown"
    return (
        f"HTTP {listed.status}, {listed.body}, {listed.seconds:.2f} s; {listed.rows} rows ({listed.unusable_rows} "
        f"unusable), {listed.paging}, {size}, order {listed.order}; next: {listed.next_page}, second page: "
        f"{listed.second_page}, {listed.repeated_rows} rows repeated"
    )


def _media(report: ProbeReport) -> Iterator[str]:
    link, media = report.link, report.media
    yield "\nDownload link"
    yield f"  {link.place}; {link.scheme}, {link.host}; path /{'/'.join(link.segments)}, extension {link.extension}"
    yield f"  query {', '.join(link.query) or 'empty'} and {link.unknown_query} other names; valid {link.life_hours} h"
    yield "\nOne byte of one MP3"
    yield f"  HTTP {media.status}, {media.content_type}, {media.seconds:.2f} s; error {media.error}"
    yield f"  ranges {media.ranges}, length {media.length}, ETag {media.etag}"


def _headers(report: ProbeReport) -> Iterator[str]:
    yield "\nHeaders"
    for host, names in report.headers.items():
        yield f"  {host:12} {', '.join(names)} and {report.unknown_headers[host]} other names"


def _fields(place: str, shape: ObjectShape) -> Iterator[str]:
    yield f"  {place}: {shape.objects} objects, {shape.unknown_names} unknown names {_counted(shape.unknown_shapes)}"
    yield from (f"    {name:24} {_counted(counts)}" for name, counts in sorted(shape.fields.items()))


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {word}" for word, count in sorted(counts.items(), key=lambda item: -item[1]))
