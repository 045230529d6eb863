import logging
from datetime import UTC, datetime

import httpx
import pytest

from recall_pipeline_tests.sandbox.api_reads import artifact_of, fresh_link
from recall_sandbox import Rule, Sandbox
from recall_sandbox.effects import Cut, EditJson, Reset


def test_an_access_has_the_request_and_the_bytes_sent(sandbox: Sandbox, api: httpx.Client) -> None:
    before = datetime.now(UTC)
    answer = api.get("/bot/", params={"platform": "zoom"}, headers={"User-Agent": "reader/1"})
    [access] = sandbox.access_log
    assert before <= access.at <= datetime.now(UTC)
    assert (access.origin, access.method, access.status) == ("api", "GET", 200)
    assert (access.path, access.query) == ("/api/v1/bot/", "platform=zoom")
    assert (access.had_authorization, access.had_body) == (True, False)
    assert (access.range, access.user_agent) == (None, "reader/1")
    assert access.bytes_sent == len(answer.content)


def test_storage_requests_have_their_own_origin(sandbox: Sandbox, api: httpx.Client, storage: httpx.Client) -> None:
    link = fresh_link(api, artifact_of("interview").id)
    storage.get(link, headers={"Range": "bytes=10-19"})
    [access] = sandbox.access_log.only(origin="media")
    assert (access.status, access.range, access.bytes_sent) == (206, "bytes=10-19", 10)
    assert not access.had_authorization
    assert access.query == httpx.URL(link).query.decode()


def test_an_access_records_a_request_body(sandbox: Sandbox, api: httpx.Client) -> None:
    api.request("GET", "/bot/", content=b"null")
    api.post("/bot/", json={})
    assert [access.had_body for access in sandbox.access_log] == [True, True]


def test_accesses_are_found_by_origin_method_and_path(sandbox: Sandbox, api: httpx.Client) -> None:
    api.get("/bot/")
    api.get("/recording/")
    api.post("/bot/", json={})
    log = sandbox.access_log
    assert [access.method for access in log.only(path="/bot/$")] == ["GET", "POST"]
    assert [access.status for access in log.only(method="POST")] == [400]
    assert log.only(origin="media") == []
    log.clear()
    assert len(log) == 0


def test_a_cut_answer_is_logged_with_the_bytes_sent(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.faults.add(Rule(Cut(after_bytes=100), path="/recording/"))
    sandbox.faults.add(Rule(Reset(), path="/bot/"))
    with pytest.raises(httpx.RemoteProtocolError):
        api.get("/recording/")
    with pytest.raises(httpx.ReadError):
        api.get("/bot/")
    shown = [(access.path, access.status, access.bytes_sent) for access in sandbox.access_log]
    assert shown == [("/api/v1/recording/", 200, 100), ("/api/v1/bot/", None, 0)]


def test_an_error_in_the_sandbox_is_logged(
    sandbox: Sandbox, api: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.faults.add(Rule(EditJson(lambda page: page["no such key"])))
    with caplog.at_level(logging.ERROR):
        assert api.get("/bot/").status_code == 500
    assert "the sandbox could not answer GET /api/v1/bot/" in caplog.text
