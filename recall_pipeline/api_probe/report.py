"""The report of a probe: what was found, as a dataclass and as JSON that holds words of the vocabulary and numbers."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recall_pipeline.api_probe.filters import FilterReport
from recall_pipeline.api_probe.links import LinkReport
from recall_pipeline.api_probe.listings import ListReport
from recall_pipeline.api_probe.media import MediaReport
from recall_pipeline.api_probe.objects import LookupReport, RefusalReport
from recall_pipeline.api_probe.shapes import ObjectShape

FORMAT = 1
_DIGITS = 3  # of seconds
_MOST = 10_000_000


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """What a probe found (docs/first-day.md explains each part); nothing in it is a value that the service sent.

    `stopped`: why no more was asked, such as a refused key; None if the probe ran to its end. `unfiltered_bots`: rows
    of a list without a window, which also shows bots without `join_at`. `fields` by place, such as `bot.recordings[]`.
    `codes` by vocabulary. `headers` by the host that sent them; other names are counted.
    """

    stopped: str | None = None
    stopped_at: str | None = None
    requests: int = 0
    clock_seconds: int | None = None
    lists: Mapping[str, ListReport] = field(default_factory=dict)
    cursor_for_bots: str = "unknown"
    unfiltered_bots: int = 0
    unfiltered_bots_without_join_at: int = 0
    filters: Mapping[str, FilterReport] = field(default_factory=dict)
    lookups: Mapping[str, LookupReport] = field(default_factory=dict)
    missing_object: RefusalReport = field(default_factory=RefusalReport)
    without_slash: RefusalReport = field(default_factory=RefusalReport)
    fields: Mapping[str, ObjectShape] = field(default_factory=dict)
    codes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    headers: Mapping[str, list[str]] = field(default_factory=dict)
    unknown_headers: Mapping[str, int] = field(default_factory=dict)
    link: LinkReport = field(default_factory=LinkReport)
    media: MediaReport = field(default_factory=MediaReport)
    dialect: list[str] = field(default_factory=list)
    assumptions: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the report as a JSON object; `probe_format` is the version of its form."""
        return {"probe_format": FORMAT, **_plain(self)}


def _plain(value: Any) -> Any:
    """Return dataclasses as objects, numbers within bounds, and seconds rounded."""
    if dataclasses.is_dataclass(value):  # `asdict` of Python 3.11 spoils counters
        return {part.name: _plain(getattr(value, part.name)) for part in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return round(min(value, _MOST), _DIGITS)
    return min(value, _MOST) if isinstance(value, int) and not isinstance(value, bool) else value
