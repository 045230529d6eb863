"""Faults of Recall's API: errors, stalls, refusals, and invalid answers."""

import gzip
import json
from collections.abc import Callable, Iterable
from typing import Any

from recall_pipeline_tests.chaos.faults.fault import Fault, always
from recall_pipeline_tests.chaos.trials import Trial
from recall_sandbox import Rule
from recall_sandbox.effects import (
    Cut,
    EditJson,
    Effect,
    ForeignNext,
    LoopingNext,
    Reply,
    Reset,
    Stall,
    error_page,
    garbage_json,
    redirect,
    throttling,
    unavailable,
)

_ELSEWHERE = "https://recall.invalid/api/v1/recording/?cursor=cD0x"
_NOT_A_UUID = "../../../../etc/passwd"


def passing(effect: Effect, times: int = 3, path: str = "") -> Callable[[Trial], Iterable[Rule]]:
    """Injection a few requests to the API."""
    return always(Rule(effect, origin="api", times=times, path=path))


def lasting(effect: Effect, path: str = "", skip: int = 0) -> Callable[[Trial], Iterable[Rule]]:
    """Injection all requests to the API."""
    return always(Rule(effect, origin="api", path=path, skip=skip))


def edited(edit: Callable[[dict[str, Any]], dict[str, Any]], path: str = "/recording/$") -> Callable[..., Any]:
    """Change the first row of each page of a listing."""

    def edit_page(page: dict[str, Any]) -> dict[str, Any]:
        return {**page, "results": [edit(page["results"][0]), *page["results"][1:]]}

    return lasting(EditJson(edit_page), path)


def _wrongly_typed(row: dict[str, Any]) -> dict[str, Any]:
    """Give every field except the id a wrong type."""
    wrong = {"str": 17, "dict": "text", "list": {"a": 1}, "NoneType": [None], "int": "x", "bool": {}}
    return {name: value if name == "id" else wrong[type(value).__name__] for name, value in row.items()}


def _twice(page: dict[str, Any]) -> dict[str, Any]:
    """Show each row twice, with different content."""
    again = [{**row, "status": {"code": "processing"}, "metadata": {"copy": "2"}} for row in page["results"]]
    return {**page, "results": [*again, *page["results"]]}


SERVICE_FAULTS = (
    Fault("API answers 500", passing(unavailable(500))),
    Fault("API answers 502", passing(unavailable(502))),
    Fault("API answers 503", passing(unavailable(503))),
    Fault("API answers 504", passing(unavailable(504))),
    Fault("API answers 503 to the end", lasting(unavailable(503)), statuses=(1,), message="HTTP 503"),
    Fault("API is down", settings={"RECALL_API_URL": "http://127.0.0.1:9/api/v1"},
          statuses=(1,), message="cannot reach"),
    Fault("API host has no DNS name", settings={"RECALL_API_URL": "https://recall.invalid/api/v1"}, statuses=(1,),
          message="cannot reach recall.invalid"),
    Fault("429 storm, Retry-After 8 s", passing(throttling("8"), times=7)),
    Fault("429 storm, Retry-After an hour", lasting(throttling("3600")), statuses=(1,), message="HTTP 429"),
    Fault("API key refused (401)", settings={"RECALL_API_KEY": "wrong"}, statuses=(1,), message="RECALL_API_KEY"),
    Fault("API resets before it answers", passing(Reset())),
    Fault("API resets in an answer", passing(Reset(200))),
    Fault("API stalls in an answer", passing(Stall(50, 300), times=1)),
    Fault("API answer cut short", passing(Cut(100))),
    Fault("API answer is truncated JSON", passing(garbage_json())),
    Fault("API answer is a web page", passing(error_page())),
    Fault("API answer is deeply nested JSON",
          passing(Reply(200, b"[" * 200_000, {"Content-Type": "application/json"}))),
    Fault("API answer of 10 MB of JSON", lasting(EditJson(lambda body: {**body, "padding": "x" * 10_000_000}))),
    Fault("API answer that unpacks to 80 MB",
          lasting(Reply(200, gzip.compress(b" " * 80_000_000, 1), {"Content-Encoding": "gzip"})),
          statuses=(1,), message="MiB"),
    Fault("API answer of wrong JSON types", lasting(Reply(200, {"results": {"a": 1}, "next": 7})),
          statuses=(1,), message="lacks `results` or `next`"),
    Fault("rows of wrong JSON types", edited(_wrongly_typed), may_miss=True),
    Fault("rows of null", edited(lambda row: dict.fromkeys(row)), may_miss=True),
    Fault("ids that are not UUIDs", edited(lambda row: {**row, "id": _NOT_A_UUID}), may_miss=True),
    Fault("MP3 ids that are not UUIDs", edited(lambda row: {**row, "id": _NOT_A_UUID}, "/audio_mixed/$"),
          may_miss=True),
    Fault("ids twice, with different content", lasting(EditJson(_twice), "/recording/$")),
    Fault("unknown statuses", edited(lambda row: {**row, "status": {"code": "sparkling"}}), may_miss=True),
    Fault("recordings of the year 2999", edited(lambda row: {**row, "created_at": "2999-01-01T00:00:00Z"}),
          may_miss=True),
    Fault("`next` leads in a circle", lasting(LoopingNext(), "/recording/$"), statuses=(1,), message="circle"),
    Fault("`next` leads to another host", lasting(ForeignNext(_ELSEWHERE), "/recording/$"), statuses=(1,),
          message="another host"),
    Fault("API redirects to another host", lasting(redirect(_ELSEWHERE)), statuses=(1,), message="not followed"),
    Fault("listing fails half way", lasting(unavailable(503), "/recording/$", skip=1),
          statuses=(1,), message="HTTP 503"),
    Fault("listing breaks half way", lasting(Reply(200, json.dumps({"results": None}).encode()), "/audio_mixed/$", 1),
          statuses=(1,), message="lacks `results` or `next`"),
)  # fmt: skip
