"""Coordination on Redis 6 or later, or a server that speaks its protocol and runs Lua, such as Valkey."""

import uuid
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from recall_pipeline.coordination import redis_scripts
from recall_pipeline.coordination.outages import Address, ServerLost, with_patience
from recall_pipeline.coordination.server import LEASE_SECONDS, WINDOW_SECONDS, Renewal, RequestLimits
from recall_pipeline.days import utc_now

_ANSWER_SECONDS = 5.0
_PREFIX = "{recall_pipeline}"  # in braces: all keys are in one slot of a cluster
_LOCK_KEPT_SECONDS = 86_400.0  # a lease that has ended can be renewed as long as nobody else took the lock
_UPTIME_ERROR_SECONDS = 1.0  # Redis counts whole seconds
_REFUSALS = (
    redis.AuthenticationError,
    redis.exceptions.AuthorizationError,
    redis.exceptions.NoPermissionError,
)
_REFUSED_TEXTS = ("NOAUTH", "WRONGPASS", "NOPERM", "DB index is out of range", "invalid DB index", "Client sent AUTH")
_REFUSED_IN_SCRIPT = ("The user executing the script", "ACL failure in script")  # Redis 6; since 7
_TLS_TEXTS = ("CERTIFICATE_VERIFY_FAILED", "WRONG_VERSION_NUMBER", "No such file or directory")  # of certificates
_LOST = (redis.ConnectionError, redis.TimeoutError, redis.BusyLoadingError, redis.ReadOnlyError)
T = TypeVar("T")


class RedisServer:
    """A CoordinationServer. For one window, or one lease, after its start a Redis grants nothing."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._client: Any = redis.Redis.from_url(
            address.url.get_secret_value(),
            decode_responses=True,
            socket_timeout=_ANSWER_SECONDS,
            socket_connect_timeout=_ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 0),
            client_name="recall_pipeline",
        )
        self._client.connection_pool.make_connection()  # raises TypeError for an unknown option; it connects later
        self._take = self._client.register_script(redis_scripts.TAKE)
        self._acquire = self._client.register_script(redis_scripts.ACQUIRE)
        self._renew = self._client.register_script(redis_scripts.RENEW)
        self._release = self._client.register_script(redis_scripts.RELEASE)

    def take_request(self, endpoint: str, limits: RequestLimits, *, is_short: bool) -> float:
        """Record a request, or return the seconds to wait."""
        keys = [f"{_PREFIX}:requests:{endpoint}", f"{_PREFIX}:requests:{endpoint}:{'short' if is_short else 'walk'}"]
        times = [_microseconds(WINDOW_SECONDS), _microseconds(WINDOW_SECONDS + _UPTIME_ERROR_SECONDS)]
        waits_us = self._run(self._take, keys, [uuid.uuid4().hex, *times, limits.of_both, limits.of_class])
        return int(waits_us) / 1e6

    def acquire(self, lock: str, token: str, holder: str) -> str | None:
        """Give a lock to `token`, or return who holds it."""
        return self._run(self._acquire, [_key(lock)], [token, holder, *self._lease()]) or None

    def renew(
        self, lock: str, token: str, holder: str, *, may_claim: Callable[[], bool], patience_seconds: float | None
    ) -> Renewal:
        """Extend a lease."""

        def ask() -> str:
            arguments: list[str | int] = [token, holder, *self._lease(), int(may_claim())]
            return str(self._renew(keys=[_key(lock)], args=arguments))

        return Renewal(self._answer(ask, patience_seconds))

    def release(self, lock: str, token: str) -> None:
        """Release a lock."""
        self._answer(lambda: self._release(keys=[_key(lock)], args=[token]), 0)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def describe(self) -> str:
        """Return address, version and difference of the clocks."""
        found: dict[str, Any] = self._answer(self._client.info)
        seconds, microseconds = self._answer(self._client.time)
        behind = seconds + microseconds / 1e6 - utc_now().timestamp()
        policy = found.get("maxmemory_policy", "noeviction")
        weak = f"; weaker here: its memory policy {policy} may drop requests and locks: set noeviction"
        version = f"Redis {found.get('redis_version', 'of an unknown version')}"
        return f"{self._address}, {version}, clock {behind:+.0f} s{weak if policy != 'noeviction' else ''}"

    def _lease(self) -> list[int]:
        kept_ms = int(_LOCK_KEPT_SECONDS * 1000)
        return [_microseconds(LEASE_SECONDS), kept_ms, _microseconds(LEASE_SECONDS + _UPTIME_ERROR_SECONDS)]

    def _run(self, script: Any, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        return self._answer(lambda: script(keys=keys, args=arguments))

    def _answer(self, ask: Callable[[], T], patience_seconds: float | None = None) -> T:
        def attempt() -> T:
            try:
                return ask()
            except redis.RedisError as error:
                raise self._translated(error) from None

        return with_patience(attempt, self._address, patience_seconds)

    def _translated(self, error: redis.RedisError) -> Exception:
        if isinstance(error, redis.ConnectionError) and any(text in str(error) for text in _TLS_TEXTS):
            return self._address.insecure(error)
        is_refused_in_script = any(text in str(error) for text in _REFUSED_IN_SCRIPT)
        if isinstance(error, _REFUSALS) or str(error).startswith(_REFUSED_TEXTS) or is_refused_in_script:
            return self._address.refused(error)
        return ServerLost(str(error)) if isinstance(error, _LOST) else self._address.failed(error)


def _key(lock: str) -> str:
    return f"{_PREFIX}:lock:{lock}"


def _microseconds(seconds: float) -> int:
    return round(seconds * 1_000_000)
