"""The request budget and the locks that several hosts share, on the server of RECALL_COORDINATION_URL.

Belongs here: the sliding window of requests and the leases of locks on Redis or PostgreSQL, by the server's clock; the
renewal of a lease, and the question whether it is still held; what an unreachable server means.
Does not belong here: what is locked, what a request is, and the budget and locks of a single host.
Comes in: the URL, names of endpoints and locks. Goes out: seconds to wait, leases, CoordinationError and LockLost.
"""

from typing import TYPE_CHECKING

from recall_pipeline.coordination.leases import HeldLock, Leases
from recall_pipeline.coordination.server import LEASE_SECONDS, WINDOW_SECONDS, CoordinationServer, RequestLimits
from recall_pipeline.lazy_imports import lazy_names

if TYPE_CHECKING:
    from recall_pipeline.coordination.connection import connect

__all__ = [
    "LEASE_SECONDS",
    "WINDOW_SECONDS",
    "CoordinationServer",
    "HeldLock",
    "Leases",
    "RequestLimits",
    "connect",
]

__getattr__ = lazy_names(
    __name__,
    {
        "connection": ("connect",),
    },
)
