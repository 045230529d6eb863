"""Difference between the decoded length and the API's times that is worth a note: meetings pause, clocks drift."""

_NOTABLE_SECONDS = 2.0
_NOTABLE_RATIO = 0.02


def notable_difference(recording_seconds: float | None, duration_seconds: float | None) -> str | None:
    """Return how the two lengths differ, in words; None if they agree or one is unknown."""
    if recording_seconds is None or duration_seconds is None:
        return None
    if abs(recording_seconds - duration_seconds) <= max(_NOTABLE_SECONDS, _NOTABLE_RATIO * recording_seconds):
        return None
    return f"decodes to {duration_seconds:.0f} s, while the API's times span {recording_seconds:.0f} s"
