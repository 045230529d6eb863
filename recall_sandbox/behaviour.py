"""Which of the readings that docs/design/recall-api.md leaves open the sandbox speaks, and how strictly."""

from dataclasses import dataclass
from typing import Literal

Order = Literal["scrambled", "newest", "oldest"]
Granularity = Literal["datetime", "date"]
Endpoint = Literal["list", "object", "create"]
Closed = Literal["left", "right", "both", "neither"]


@dataclass
class Behaviour:
    """Switches that may be turned while the sandbox serves; each request reads them anew.

    `order`: of every list. `repeat_rows`: how many rows of a page the next one shows again.
    `join_at_granularity`: what `join_at_after` and `join_at_before` compare (docs/design/recall-api.md, section 4).
    `created_at_closed`: which ends of `created_at_after/before` are included (docs/design/recall-api.md, section 5).
    `list_per_minute`, `object_per_minute`, `create_per_minute`: calls that each endpoint allows in a
    sliding window of `window_seconds`; None for no limit (docs/design/recall-api.md, section 2).
    `link_life_seconds`: of a download link. `adhoc_bots`: how many bots without a `join_at` ten minutes
    ahead can still be made before 507; None for any number. `create_seconds`: how long making one takes.
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

    def limit_of(self, kind: Endpoint) -> int | None:
        """Calls in a window that an endpoint of this kind allows; None for any number."""
        limits = {"list": self.list_per_minute, "object": self.object_per_minute, "create": self.create_per_minute}
        return limits[kind]
