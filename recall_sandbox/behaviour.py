"""Switches for what docs/design/recall-api.md leaves open, and for the limits of the service."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from recall_sandbox.like_switches import ReportedAnswers

Order = Literal["scrambled", "newest", "oldest"]
Granularity = Literal["datetime", "date", "date_only", "ignored"]
Endpoint = Literal["list", "object", "create"]
Closed = Literal["left", "right", "both", "neither", "ignored", "refused"]
LinkPlace = Literal["nested", "flat", "mixed", "both"]
Embedded = Literal["full", "four_fields", "nulls", "mixed"]


@dataclass
class Behaviour(ReportedAnswers):
    """Settings of a sandbox; they can change while it serves, since each request reads them.

    `order`: the order of every list. `repeat_rows`: how many rows of a page the next page repeats.
    `join_at_granularity`: what `join_at_after` and `join_at_before` compare (docs/design/recall-api.md, section 4);
    `date_only` refuses date-times. `created_at_closed`: which bounds of `created_at_after/before` are included
    (docs/design/recall-api.md, section 5); `refused`: date-times are refused.
    `list_per_minute`, `object_per_minute`, `create_per_minute`: requests that each endpoint allows in a
    sliding window of `window_seconds`; None for no limit (docs/design/recall-api.md, section 2).
    `link_life_seconds`: lifetime of a download link. `adhoc_bots`: how many bots without a `join_at` ten minutes
    ahead can still be created before 507; None for no limit. `create_seconds`: how long a creation takes.

    What was seen in 2026 (docs/design/recall-api.md, sections 1, 4, 5 and 6): `link_place`: where an
    artifact has its download link.
    `embedded`: the fields of a recording in its bot: all, the four of version 1.10, or nulls instead of the others.
    `clears_meeting_urls`: finished bots show no meeting URL. `hides_expired`: bots whose media have
    expired show no recordings. `deleted_answers_404`: deleted recordings are in no answer.
    `bots_of_v1_10`: bots have the further fields of version 1.10, with the names of participants. `mixed` differs by
    object.
    """

    page_size: int = 10
    order: Order = "scrambled"
    repeat_rows: int = 0
    join_at_granularity: Granularity = "datetime"
    created_at_closed: Closed = "left"
    list_per_minute: int | None = 60
    object_per_minute: int | None = 300
    create_per_minute: int | None = 60
    window_seconds: float = 60.0
    link_life_seconds: float = 6 * 3600.0
    adhoc_bots: int | None = None
    create_seconds: float = 0.0
    link_place: LinkPlace = "nested"
    embedded: Embedded = "full"
    clears_meeting_urls: bool = False
    hides_expired: bool = False
    deleted_answers_404: bool = False
    bots_of_v1_10: bool = False

    def limit_of(self, kind: Endpoint) -> int | None:
        """Requests per window that an endpoint of this kind allows; None for no limit."""
        limits = {"list": self.list_per_minute, "object": self.object_per_minute, "create": self.create_per_minute}
        return limits[kind]


AS_SEEN_IN_2026: Mapping[str, Any] = {
    "link_place": "mixed",
    "embedded": "mixed",
    "clears_meeting_urls": True,
    "hides_expired": True,
    "deleted_answers_404": True,
    "bots_of_v1_10": True,
    "join_at_granularity": "date",
}
"""Switches for the answers that others recorded in 2026: `Sandbox(world, **AS_SEEN_IN_2026)`."""
