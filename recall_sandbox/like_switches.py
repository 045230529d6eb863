"""Switches that a report of `recall-pipeline doctor --probe` sets; tests may set them by hand too."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Paging = Literal["page number", "cursor", "offset"]
NextPage = Literal[
    "same host", "same host, other scheme", "relative", "another host of Recall.ai", "another host", "another path",
    "not a URL", "unreadable", "the same page",
]  # fmt: skip
LinkPath = Literal["plain", "colon"]
Etag = Literal["strong", "weak", "none"]
Shapes = Mapping[str, Mapping[str, int]]
"""How often each field of an object has each shape, by the field's name."""


@dataclass
class ReportedAnswers:
    """Answers as a report describes them. `paging`, `page_sizes`, `seconds`, `refusals` and `bodies`: by list (`bot`,
    `recording`, `audio_mixed`).

    `use_cursor`: the query `use_cursor=true` pages the bots by cursor. `next_page`: where `next` leads. `seconds`: how
    long a list takes. `refusals`: the HTTP status that a list answers instead. `bodies`: what a list answers instead of
    a page. `all_media_expired`: the history of every bot ends with `media_expired`, and no recording is listed.
    `fields`: the shapes of fields, by place such as `bot.recordings[]`; no other shape is answered. `unlisted`: how
    many unknown names an object has, by place.

    Of media: `link_path`: whether the path of a link has an encoded colon. `ranges`, `etag`, `has_length`,
    `media_type`: headers. `media_error`: S3's code and the status that every link answers. `redirects`: every link
    answers a redirect to itself first.
    """

    paging: Mapping[str, Paging] = field(default_factory=dict)
    page_sizes: Mapping[str, int] = field(default_factory=dict)
    use_cursor: bool = False
    next_page: NextPage = "same host"
    seconds: Mapping[str, float] = field(default_factory=dict)
    refusals: Mapping[str, int] = field(default_factory=dict)
    bodies: Mapping[str, str] = field(default_factory=dict)
    all_media_expired: bool = False
    fields: Mapping[str, Shapes] = field(default_factory=dict)
    unlisted: Mapping[str, int] = field(default_factory=dict)
    link_path: LinkPath = "plain"
    ranges: bool = True
    etag: Etag = "strong"
    has_length: bool = True
    media_type: str | None = None
    media_error: tuple[int, str] | None = None
    redirects: bool = False

    @property
    def changes_json(self) -> bool:
        """Whether the API's answers differ from the regular ones in more than their paging."""
        others = (self.seconds, self.refusals, self.bodies, self.fields, self.unlisted, self.all_media_expired)
        return self.next_page != "same host" or any(others)
