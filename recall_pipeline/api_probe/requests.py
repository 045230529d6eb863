"""The requests of a probe: GET only, counted, never repeated; a failure is an answer, too."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

import httpx

from recall_pipeline.days import utc_now
from recall_pipeline.errors import RecallError, RecallProtocolError
from recall_pipeline.recall_api import Budget, RecallClient

_ENDS_THE_PROBE = {401: "the key is refused", 402: "out of credit", 403: "the firewall refuses", 429: "throttled"}
_MOST_CLOCK_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """One answer: its HTTP status (None without one), its headers, its JSON, and a word for its body.

    `seconds`: from the request to the end of the body. `clock_seconds`: the service's clock minus ours.
    """

    status: int | None
    body_kind: str
    headers: httpx.Headers = field(default_factory=httpx.Headers)
    body: Any = None
    seconds: float = 0.0
    clock_seconds: int | None = None

    @property
    def results(self) -> list[Any]:
        """The rows of a page; empty for everything else."""
        rows = self.body.get("results") if self.status == httpx.codes.OK and isinstance(self.body, dict) else None
        return rows if isinstance(rows, list) else []

    @property
    def object(self) -> dict[str, Any]:
        """The object of a lookup; empty for everything else."""
        return self.body if self.status == httpx.codes.OK and isinstance(self.body, dict) else {}


class Stopwatch:
    """A request budget that notes when each request is sent, so that waiting for the budget is not measured."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.started = time.monotonic()

    async def take(self, endpoint: str, per_minute: int) -> None:
        """Wait for the budget, then start to measure."""
        await self._budget.take(endpoint, per_minute)
        self.started = time.monotonic()


class Requests:
    """Sends at most `most` requests to the API; after a refusal that concerns all of them it sends no more.

    `answers` are those so far; `stopped` is the word for what ended the probe early, and `stopped_at` the request.
    """

    def __init__(self, client: RecallClient, base_url: str, most: int, started: Callable[[], float]) -> None:
        self._client = client
        self.base_url = base_url
        self._left = most
        self._started = started
        self.sent = 0
        self.answers: list[ProbeAnswer] = []
        self.stopped: str | None = None
        self.stopped_at: str | None = None

    async def list(self, kind: str, query: Mapping[str, str]) -> ProbeAnswer | None:
        """Read the first page of a list."""
        return await self.get(f"{self.base_url}/{kind}/?{urlencode(query)}", f"list {kind}")

    async def get(self, url: str, endpoint: str) -> ProbeAnswer | None:
        """Send one request; None if none is left, or after a refusal."""
        if self.stopped or not self.take():
            return None
        answer = await self._exchange(url, endpoint)
        self.answers.append(answer)
        self.stopped = _ENDS_THE_PROBE.get(answer.status or 0) or self._no_answer()
        self.stopped_at = endpoint if self.stopped else None
        return answer

    def _no_answer(self) -> str | None:
        """Return the word for a service that does not answer: not the first time, or not two times in all."""
        unanswered = [answer.body_kind for answer in self.answers if answer.status is None]
        is_down = len(unanswered) > 1 or len(unanswered) == len(self.answers)
        return unanswered[-1] if unanswered and is_down else None

    def take(self) -> bool:
        """Count one request, and return whether it may be sent."""
        if not self._left:
            return False
        self._left -= 1
        self.sent += 1
        return True

    async def _exchange(self, url: str, endpoint: str) -> ProbeAnswer:
        try:
            response = await self._client.exchange(url, endpoint)
        except RecallProtocolError:
            return ProbeAnswer(None, "too large, or not on the API's host")
        except RecallError:
            return ProbeAnswer(None, "no answer")
        seconds = time.monotonic() - self._started()
        body, kind = _json_of(response)
        return ProbeAnswer(
            response.status_code, kind, response.headers, body, seconds, _clock_difference(response.headers)
        )


def _json_of(response: httpx.Response) -> tuple[Any, str]:
    """Return the JSON of a body and a word for its kind."""
    try:
        body = json.loads(response.content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None, _kind_without_json(response)
    if isinstance(body, dict):
        return body, "page" if isinstance(body.get("results"), list) and "next" in body else "object"
    return body, "list" if isinstance(body, list) else "other JSON"


def _kind_without_json(response: httpx.Response) -> str:
    if not response.content:
        return "empty"
    is_html = response.content.lstrip()[:1] == b"<" or "html" in response.headers.get("content-type", "")
    return "HTML or XML" if is_html else "not JSON"


def _clock_difference(headers: httpx.Headers) -> int | None:
    """Return how far the service's clock is ahead, in whole seconds, at most a day; None if it names no time."""
    try:
        theirs = parsedate_to_datetime(headers.get("date", ""))
        seconds = (theirs - utc_now()).total_seconds()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return round(max(-_MOST_CLOCK_SECONDS, min(_MOST_CLOCK_SECONDS, seconds)))
