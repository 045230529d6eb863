"""The clock of the sandbox."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def system_now() -> datetime:
    """The current time in UTC, from the system."""
    return datetime.now(UTC)
