"""Transcripts of all `ready` recordings: a second code location, as another team would write it.

Belongs here: speech recognition of recordings, its schedule and sensor, the table `transcripts`, and the audit rows of
erased transcripts. It imports of the pipeline only `downstream`, `audio` and the component of the archive.
Does not belong here: fetching or normalizing audio, the API key, any use of the transcripts.
Comes in: recordings that are `ready`. Goes out: one row of `transcripts` for each, with times, language and model.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recall_transcripts.component import RecallTranscriptsComponent

__all__ = ["RecallTranscriptsComponent"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `import recall_transcripts` costs nothing."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("recall_transcripts.component"), name)


def __dir__() -> list[str]:
    """Name the public names, among which `dg` looks for components."""
    return sorted([*globals(), *__all__])
