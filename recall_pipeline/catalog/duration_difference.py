"""When a decoded length and the API's times differ so much that somebody should know: meetings pause, clocks drift."""

_NOTABLE_SECONDS = 2.0
_NOTABLE_RATIO = 0.02


def notable_difference(recording_seconds: float | None, duration_seconds: float | None) -> str | None:
    """Say how the two lengths differ; None when they agree, or when one of them is not known."""
    if recording_seconds is None or duration_seconds is None:
        return None
    if abs(recording_seconds - duration_seconds) <= max(_NOTABLE_SECONDS, _NOTABLE_RATIO * recording_seconds):
        return None
    return f"decodes to {duration_seconds:.0f} s, while the API's times span {recording_seconds:.0f} s"
