import httpx
import pytest

from recall_pipeline_tests.sandbox.api_reads import artifact_of, fresh_link
from recall_sandbox import FaultPlan, Rule, Sandbox
from recall_sandbox.content import body_of
from recall_sandbox.effects import (
    Cut,
    Delay,
    EditJson,
    Effect,
    ForeignNext,
    IgnoreRange,
    LoopingNext,
    Reset,
    Stall,
    Trickle,
    Truncate,
    error_page,
    expired_link,
    garbage_json,
    redirect,
    throttling,
    unavailable,
)

ARTIFACT = artifact_of("interview")
assert ARTIFACT.content is not None
BODY = body_of(ARTIFACT.content)


@pytest.mark.parametrize(
    ("effect", "status", "header", "value"),
    [
        (throttling("7"), 429, "Retry-After", "7"),
        (unavailable(), 503, "Content-Type", "text/html"),
        (unavailable(502), 502, "Content-Type", "text/html"),
        (error_page(), 200, "Content-Type", "text/html"),
        (garbage_json(), 200, "Content-Type", "application/json"),
        (redirect("https://elsewhere.invalid/"), 302, "Location", "https://elsewhere.invalid/"),
        (expired_link(), 403, "Content-Type", "application/xml"),
    ],
)
def test_a_reply_replaces_the_normal_answer(
    sandbox: Sandbox, api: httpx.Client, effect: Effect, status: int, header: str, value: str
) -> None:
    sandbox.faults.add(Rule(effect))
    answer = api.get("/bot/")
    assert (answer.status_code, answer.headers[header]) == (status, value)


def test_garbage_json_cannot_be_parsed(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.faults.add(Rule(garbage_json()))
    with pytest.raises(ValueError, match="Unterminated string"):
        api.get("/bot/").json()


def test_a_rule_applies_only_to_matching_requests(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.faults.add(Rule(unavailable(), origin="api", method="GET", path="/recording/$"))
    link = fresh_link(api, ARTIFACT.id)
    statuses = [
        api.get("/recording/").status_code,
        api.get("/bot/").status_code,
        api.post("/recording/").status_code,
        httpx.get(link).status_code,
    ]
    assert statuses == [503, 200, 405, 200]


def test_a_rule_skips_some_requests_and_then_applies_a_number_of_times(sandbox: Sandbox, api: httpx.Client) -> None:
    rule = sandbox.faults.add(Rule(unavailable(), skip=1, times=2))
    assert [api.get("/bot/").status_code for _ in range(5)] == [200, 503, 503, 200, 200]
    assert sandbox.faults.applied(rule) == 2


def test_a_rule_can_be_removed(sandbox: Sandbox, api: httpx.Client) -> None:
    rule = sandbox.faults.add(Rule(unavailable()))
    other = sandbox.faults.add(Rule(unavailable(500)))
    assert api.get("/bot/").status_code == 503
    sandbox.faults.remove(rule)
    assert api.get("/bot/").status_code == 500
    assert sandbox.faults.applied(other) == 1
    sandbox.faults.clear()
    assert api.get("/bot/").status_code == 200


def test_equal_rules_have_separate_counts() -> None:
    plan = FaultPlan()
    first, second = (plan.add(Rule(unavailable(), times=1)) for _ in range(2))
    assert [plan.effect_on("api", "GET", "/") is not None for _ in range(3)] == [True, True, False]
    assert (plan.applied(first), plan.applied(second)) == (1, 1)


def test_the_same_seed_applies_to_the_same_requests() -> None:
    def hits(seed: int) -> list[bool]:
        plan = FaultPlan(seed)
        plan.add(Rule(unavailable(), probability=0.5))
        return [plan.effect_on("api", "GET", "/") is not None for _ in range(64)]

    assert hits(1) == hits(1)
    assert hits(1) != hits(2)
    assert 10 < sum(hits(1)) < 54


def test_a_cut_delivers_an_exact_number_of_bytes(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.faults.add(Rule(Cut(after_bytes=100_000), origin="media"))
    received = bytearray()

    def receive(answer: httpx.Response) -> None:
        for chunk in answer.iter_raw():
            received.extend(chunk)

    with httpx.stream("GET", fresh_link(api, ARTIFACT.id)) as answer:
        with pytest.raises(httpx.RemoteProtocolError):
            receive(answer)
        assert answer.headers["Content-Length"] == str(len(BODY))
    assert received == BODY[:100_000]


@pytest.mark.parametrize("after_bytes", [None, 0, 1000])
def test_a_reset_breaks_the_connection(sandbox: Sandbox, api: httpx.Client, after_bytes: int | None) -> None:
    sandbox.faults.add(Rule(Reset(after_bytes), origin="media"))
    with pytest.raises(httpx.ReadError):
        httpx.get(fresh_link(api, ARTIFACT.id))


def test_a_stalled_answer_triggers_the_clients_read_timeout(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.faults.add(Rule(Stall(after_bytes=1000, seconds=60), origin="media"))
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(fresh_link(api, ARTIFACT.id), timeout=0.2)


def test_a_truncated_answer_looks_complete(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.faults.add(Rule(Truncate(kept_bytes=5000), origin="media"))
    answer = httpx.get(fresh_link(api, ARTIFACT.id))
    assert answer.status_code == 200
    assert answer.headers["Content-Length"] == "5000"
    assert answer.content == BODY[:5000]


def test_a_trickle_sends_the_whole_body_in_chunks(sandbox: Sandbox, api: httpx.Client) -> None:
    rule = sandbox.faults.add(Rule(Trickle(chunk_bytes=len(BODY) // 3, pause_seconds=0.01), origin="media"))
    assert httpx.get(fresh_link(api, ARTIFACT.id)).content == BODY
    assert sandbox.faults.applied(rule) == 1


def test_a_range_header_can_be_ignored(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.faults.add(Rule(IgnoreRange(), origin="media"))
    answer = httpx.get(fresh_link(api, ARTIFACT.id), headers={"Range": "bytes=100-"})
    assert (answer.status_code, answer.content) == (200, BODY)


def test_a_delayed_answer_is_the_normal_one(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.faults.add(Rule(Delay(1)))
    with pytest.raises(httpx.ReadTimeout):
        api.get("/bot/", timeout=0.1)
    assert api.get("/bot/").json()["results"]


def test_next_can_point_to_the_same_page(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.faults.add(Rule(LoopingNext()))
    url = f"{sandbox.api_url}/recording/?status_code=done"
    page = api.get(url).json()
    assert page["next"] == url
    assert page["results"]


def test_next_can_point_to_another_host(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.faults.add(Rule(ForeignNext("https://elsewhere.invalid/api/v1/bot/?page=2")))
    assert api.get("/bot/").json()["next"] == "https://elsewhere.invalid/api/v1/bot/?page=2"


def test_any_answer_can_be_edited(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.faults.add(Rule(EditJson(lambda page: {**page, "results": None})))
    assert api.get("/bot/").json()["results"] is None
