"""Coordination on PostgreSQL 12 or later, also behind a pooler that gives out a connection for each transaction."""

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, LiteralString, TypeVar

import psycopg

from recall_pipeline.coordination.outages import Address, ServerLost, with_patience
from recall_pipeline.coordination.postgres_statements import (
    ACQUIRE,
    EXCLUSIVE,
    HAS_TABLES,
    HOLDER,
    RELEASE,
    REMOVE_OLD_LOCKS,
    RENEW,
    SCHEMA,
    TAKE,
    VERSION_AND_CLOCK,
)
from recall_pipeline.coordination.server import LEASE_SECONDS, WINDOW_SECONDS, Renewal, RequestLimits
from recall_pipeline.days import utc_now

_ANSWER_SECONDS = 5.0
_CONNECT_SECONDS = 5
_CREATION = "recall_pipeline schema"
_REFUSED_STATES = ("28", "3D", "42501")
_REFUSED_TEXTS = (
    *("authentication failed", "no password supplied", "pg_hba.conf", "does not exist", "SCRAM"),
    *("not permitted to log in", "permission denied for database"),
)
_TLS_TEXTS = ("does not support SSL", "sslmode", "certificate")
_LOST_STATES = ("08", "25006", "53", "57")
T = TypeVar("T")


class PostgresServer:
    """A CoordinationServer. One connection, which the threads of the process use in turn."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._turn = threading.RLock()
        self._connection: psycopg.Connection[Any] | None = None

    def take_request(self, endpoint: str, limits: RequestLimits, *, is_short: bool) -> float:
        """Record a request, or return the seconds to wait."""
        values = {
            "endpoint": endpoint,
            "is_short": is_short,
            "window": WINDOW_SECONDS,
            "of_both": limits.of_both - 1,
            "of_class": limits.of_class - 1,
        }

        def take(connection: psycopg.Connection[Any]) -> float:
            with connection.transaction():
                connection.execute(EXCLUSIVE, {"name": endpoint})
                return float(_fetched(connection, TAKE, values)[0])

        return self._answer(take)

    def acquire(self, lock: str, token: str, holder: str) -> str | None:
        """Give a lock to `token`, or return who holds it."""
        values = {"lock": lock, "token": token, "holder": holder, "lease": LEASE_SECONDS}

        def attempt(connection: psycopg.Connection[Any]) -> str | None:
            if connection.execute(ACQUIRE, values).rowcount:
                return None
            found = connection.execute(HOLDER, values).fetchone()
            return str(found[0]) if found else "another process"

        return self._answer(attempt)

    def renew(
        self, lock: str, token: str, holder: str, *, may_claim: Callable[[], bool], patience_seconds: float | None
    ) -> Renewal:
        """Extend a lease. The server loses no data in a restart, so that `holder` and `may_claim` are not needed."""
        del holder, may_claim
        values = {"lock": lock, "token": token, "lease": LEASE_SECONDS}
        renewed = self._answer(lambda connection: connection.execute(RENEW, values).rowcount, patience_seconds)
        return Renewal.HELD if renewed else Renewal.LOST

    def release(self, lock: str, token: str) -> None:
        """Release a lock."""
        values = {"lock": lock, "token": token}
        self._answer(lambda connection: connection.execute(RELEASE, values).rowcount, 0)

    def close(self) -> None:
        """Close the connection."""
        with self._turn:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def describe(self) -> str:
        """Return address, version and difference of the clocks."""
        version, clock = self._answer(lambda connection: _fetched(connection, VERSION_AND_CLOCK, {}))
        return f"{self._address}, PostgreSQL {version}, clock {float(clock) - utc_now().timestamp():+.0f} s"

    def _answer(self, ask: Callable[[psycopg.Connection[Any]], T], patience_seconds: float | None = None) -> T:
        def attempt() -> T:
            try:
                with self._turn:
                    return self._ask(ask)
            except psycopg.Error as error:
                raise self._translated(error) from None

        return with_patience(attempt, self._address, patience_seconds)

    def _ask(self, ask: Callable[[psycopg.Connection[Any]], T]) -> T:
        if self._connection is None:
            self._connection = self._opened()
        try:
            with _time_limit(self._connection):
                return ask(self._connection)
        except BaseException:  # an interrupt leaves it within a transaction
            self.close()
            raise

    def _opened(self) -> psycopg.Connection[Any]:
        """Return a connection after its tables were created where they are missing."""
        connection = psycopg.connect(
            self._address.url.get_secret_value(),
            autocommit=True,
            prepare_threshold=None,  # a pooler gives the next transaction another connection
            connect_timeout=_CONNECT_SECONDS,
            application_name="recall_pipeline",
        )
        try:
            with _time_limit(connection), connection.transaction():
                connection.execute(EXCLUSIVE, {"name": _CREATION})  # two at once would violate a constraint
                has_tables = bool(_fetched(connection, HAS_TABLES, {})[0])
                for statement in (*(() if has_tables else SCHEMA), REMOVE_OLD_LOCKS):
                    connection.execute(statement)
        except psycopg.Error:
            connection.close()
            raise
        return connection

    def _translated(self, error: psycopg.Error) -> Exception:
        state = error.sqlstate or ""
        if not state and any(text in str(error) for text in _TLS_TEXTS):
            return self._address.insecure(error)
        if state.startswith(_REFUSED_STATES) or (not state and any(text in str(error) for text in _REFUSED_TEXTS)):
            return self._address.refused(error)
        if isinstance(error, psycopg.ProgrammingError) and not state:  # the URL has options that libpq does not know
            return self._address.refused(error)
        is_lost = state.startswith(_LOST_STATES) if state else isinstance(error, psycopg.OperationalError)
        return ServerLost(str(error)) if is_lost else self._address.failed(error)


def _fetched(connection: psycopg.Connection[Any], statement: LiteralString, values: Mapping[str, object]) -> Any:
    found: Any = connection.execute(statement, values).fetchone()
    return found


@contextlib.contextmanager
def _time_limit(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """End the connection if the block takes too long: libpq itself waits forever for a silent server."""
    handle = os.dup(connection.fileno())
    with socket.socket(fileno=handle) as copied:
        timer = threading.Timer(_ANSWER_SECONDS, _shut_down, [copied])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _shut_down(copied: socket.socket) -> None:
    with contextlib.suppress(OSError):
        copied.shutdown(socket.SHUT_RDWR)
