from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from recall_pipeline_tests.sandbox.api_reads import artifact_of
from recall_sandbox import Sandbox, World


@pytest.mark.parametrize("prefix", ["", "Token "])
def test_the_key_is_accepted_with_and_without_its_prefix(sandbox: Sandbox, prefix: str) -> None:
    headers = {"Authorization": f"{prefix}{sandbox.api_key}"}
    assert httpx.get(f"{sandbox.api_url}/bot/", headers=headers).status_code == 200


@pytest.mark.parametrize("header", ["another-key", "Token Token {key}", "Bearer {key}", ""])
def test_another_key_is_refused(sandbox: Sandbox, header: str) -> None:
    headers = {"Authorization": header.format(key=sandbox.api_key)}
    assert httpx.get(f"{sandbox.api_url}/bot/", headers=headers).status_code == 401


def test_401_has_both_documented_bodies(sandbox: Sandbox) -> None:
    bodies = [httpx.get(f"{sandbox.api_url}/bot/").json() for _ in range(2)]
    assert {tuple(sorted(body)) for body in bodies} == {("detail",), ("code", "detail")}


@pytest.mark.parametrize("body", [b"null", b"{}", b" "])
def test_a_get_with_any_body_is_blocked(api: httpx.Client, body: bytes) -> None:
    answer = api.request("GET", "/bot/", content=body)
    assert answer.status_code == 403
    assert answer.json()["code"] == "request_blocked"


def test_a_get_with_a_chunked_body_is_blocked(api: httpx.Client) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"null"

    assert api.request("GET", "/bot/", content=chunks()).status_code == 403


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def test_the_61st_list_request_in_a_minute_waits_until_the_first_is_a_minute_old() -> None:
    clock = Clock()
    with Sandbox(World(), clock=clock).running() as sandbox:
        headers = {"Authorization": sandbox.api_key}
        with httpx.Client(base_url=sandbox.api_url, headers=headers) as api:
            for _ in range(60):
                assert api.get("/bot/").status_code == 200
                clock.now += timedelta(seconds=0.5)
            refused = api.get("/bot/")
            assert (refused.status_code, refused.headers["Retry-After"]) == (429, "30")
            clock.now += timedelta(seconds=30)
            assert [api.get("/bot/").status_code for _ in range(2)] == [200, 429]


def test_each_endpoint_has_its_own_limit(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.behaviour.list_per_minute = 1
    sandbox.behaviour.object_per_minute = 2
    assert [api.get("/bot/").status_code for _ in range(2)] == [200, 429]
    assert [api.get("/recording/").status_code for _ in range(2)] == [200, 429]
    path = f"/audio_mixed/{artifact_of('kickoff').id}/"
    assert [api.get(path).status_code for _ in range(3)] == [200, 200, 429]
    assert api.delete(path).status_code == 204


def test_limits_can_be_switched_off(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.behaviour.list_per_minute = None
    assert {api.get("/bot/").status_code for _ in range(61)} == {200}


def test_a_shorter_window_gives_a_shorter_retry_after(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.behaviour.list_per_minute = 1
    sandbox.behaviour.window_seconds = 2.0
    answers = [api.get("/bot/") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].headers["Retry-After"] in ("1", "2")
    assert answers[1].json()["code"] == "throttled"
