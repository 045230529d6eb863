"""What a coordination server does, and the times that all hosts have to agree on."""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple, Protocol

WINDOW_SECONDS = 61.0
"""Length of the request window, seconds: Recall's 60, and one more because requests do not take equally long."""
LEASE_SECONDS = 30.0
"""How long a lock is held without a renewal, seconds."""


class Renewal(StrEnum):
    """Answer to the question whether a lock is still held."""

    HELD = "held"
    LOST = "lost"
    UNKNOWN = "unknown"  # the server has restarted without its data: another process may claim the lock for us


class RequestLimits(NamedTuple):
    """Maximum requests in a window: of both classes, and of the class of this request."""

    of_both: int
    of_class: int


class CoordinationServer(Protocol):
    """Decides in one atomic step, by its own clock. Names are texts without secrets.

    Each method tries again for up to `patience_seconds` while the server cannot be reached. Then it raises
    CoordinationError. It raises SettingsError if the server refuses the user, the password or the database.
    """

    def take_request(self, endpoint: str, limits: RequestLimits, *, is_short: bool) -> float:
        """Record a request to `endpoint` and return 0, or return the seconds until the next attempt can succeed."""

    def acquire(self, lock: str, token: str, holder: str) -> str | None:
        """Give a lock to `token` for LEASE_SECONDS and return None, or return who holds it."""

    def renew(
        self, lock: str, token: str, holder: str, *, may_claim: Callable[[], bool], patience_seconds: float | None
    ) -> Renewal:
        """Extend the lease of a lock that `token` holds.

        `may_claim`, called for each attempt: whether a server that has lost its data gives the lock to `token` again.
        It must be false for a lease that has ended.
        """

    def release(self, lock: str, token: str) -> None:
        """Release a lock if `token` holds it; one attempt."""

    def close(self) -> None:
        """Close the connection; the next request opens another one."""

    def describe(self) -> str:
        """Return address, version and clock of the server for a report, and what is dangerous about its settings."""
