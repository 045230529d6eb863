"""A content as a meeting file gives it: a mapping with one key, the kind of the content."""

from dataclasses import dataclass, fields
from typing import Annotated

from pydantic import AfterValidator, GetPydanticSchema

from recall_sandbox.content import Content, ErrorPage, RawAudio, Truncated
from recall_sandbox.speech import Speech


@dataclass(frozen=True)
class ContentChoice:
    """The kinds of content; exactly one of them is set."""

    speech: Speech | None = None
    truncated: Truncated | None = None
    error_page: ErrorPage | None = None
    raw_audio: RawAudio | None = None


def _chosen(choice: ContentChoice) -> Content:
    kinds = [kind.name for kind in fields(choice)]
    contents = [content for kind in kinds if (content := getattr(choice, kind)) is not None]
    if len(contents) != 1:
        raise ValueError(f"A content has exactly one of the keys {', '.join(kinds)}")
    chosen: Content = contents[0]
    return chosen


ChosenContent = Annotated[
    Content, GetPydanticSchema(lambda _, handler: handler(Annotated[ContentChoice, AfterValidator(_chosen)]))
]
