"""Answers become JSON, or the one error that names cause and cure (docs/design/recall-api.md, section 2)."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from recall_pipeline.errors import (
    RecallError,
    RecallNotFound,
    RecallProtocolError,
    RecallRefused,
    RecallThrottled,
    RecallUnauthorized,
    RecallUnreachable,
)
from recall_pipeline.recall_api.responses import RetryableError, json_from_response, retry_after_seconds


def an_answer(status: int, body: Any = None, **headers: str) -> httpx.Response:
    request = httpx.Request("GET", "https://eu-central-1.recall.invalid/api/v1/bot/")
    content = body if isinstance(body, bytes) else None
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    if content is not None:
        return httpx.Response(status, content=content, headers=names, request=request)
    return httpx.Response(status, json=body, headers=names, request=request)


def error_of(answer: httpx.Response) -> RecallError:
    """The error of an answer that is not to be asked for again."""
    with pytest.raises(RecallError) as refused:
        json_from_response(answer, "list bot")
    return refused.value


def retry_of(answer: httpx.Response) -> RetryableError:
    """The invitation to ask again."""
    with pytest.raises(RetryableError) as again:
        json_from_response(answer, "list bot")
    return again.value


@pytest.mark.parametrize("body", [{"results": []}, [], "text", 7])
def test_a_successful_response_is_its_json(body: Any) -> None:
    assert json_from_response(an_answer(200, body), "list bot") == body


def test_a_response_without_content_is_none() -> None:
    assert json_from_response(an_answer(204, b""), "delete recording") is None


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (b'{"name": "\\ud83d\\ude00"}', "\N{GRINNING FACE}"),
        (b'{"name": "\\ud83d"}', "?"),
        (b'{"name": "\\uDE00 and \\u00e9"}', "? and \u00e9"),
        (b'{"name": NaN}', None),
        (b'{"name": -Infinity}', None),
    ],
)
def test_values_that_no_file_could_store_are_replaced(body: bytes, read: str | None) -> None:
    name = json_from_response(an_answer(200, body), "list bot")["name"]
    assert name == read
    assert str(name).encode("utf-8")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"next": null, "results": [{"id": "7b0c',
        b'{"a": "\xff"}',
        b'{"a": "\xed\xa0\xbd"}',  # half of a pair in UTF-8, which the json module would let pass
        '{"a": "\\ud83d"}'.encode("utf-16"),
        b"[" * 100_000,
    ],
)
def test_a_success_status_without_json_may_be_retried(body: bytes) -> None:
    again = retry_of(an_answer(200, body, content_type="text/html"))
    assert isinstance(again.error, RecallProtocolError)
    assert "the response is not JSON (text/html): check RECALL_API_URL" in str(again.error)


class TestRefusals:
    @pytest.mark.parametrize(
        "body", [{"detail": "Invalid token."}, {"code": "authentication_failed", "detail": "Invalid token."}]
    )
    def test_401_names_both_causes_and_both_settings(self, body: Any) -> None:
        error = error_of(an_answer(401, body))
        assert isinstance(error, RecallUnauthorized)
        assert "wrong or revoked" in str(error)
        assert "belongs to another region" in str(error)
        assert "RECALL_API_KEY and RECALL_REGION" in str(error)
        assert "eu-central-1.recall.invalid" in str(error)

    @pytest.mark.parametrize(
        ("status", "kind", "message"),
        [
            (400, RecallRefused, "the request is wrong"),
            (402, RecallRefused, "out of credit"),
            (403, RecallRefused, "firewall"),
            (404, RecallNotFound, "was deleted or never existed"),
            (405, RecallRefused, "RECALL_API_URL"),
            (418, RecallRefused, "the request is refused"),
            (507, RecallRefused, "pool of ad-hoc bots is empty"),
            (302, RecallProtocolError, "not followed because it could leak the key"),
        ],
    )
    def test_each_status_has_its_error_cause_and_next_action(
        self, status: int, kind: type[RecallError], message: str
    ) -> None:
        error = error_of(an_answer(status, {"detail": "as it is"}, location="https://elsewhere.invalid/"))
        assert type(error) is kind
        assert error.status_code == status
        assert str(error).startswith(f"list bot: HTTP {status} (as it is): ")
        assert message in str(error)
        assert not error.retry_can_help

    @pytest.mark.parametrize("body", [b"<html><h1>403 Forbidden</h1>", b"\n<!DOCTYPE HTML>\n<p>blocked"])
    @pytest.mark.parametrize("content_type", ["text/html; charset=utf-8", "application/octet-stream"])
    def test_a_403_that_is_a_web_page_names_the_firewall_and_the_sending_address(
        self, body: bytes, content_type: str
    ) -> None:
        error = error_of(an_answer(403, body, **{"content-type": content_type}))
        assert type(error) is RecallRefused
        assert "a firewall refuses the IP address that this machine sends from" in str(error)
        assert "check the key" not in str(error)

    @pytest.mark.parametrize(
        "body",
        [
            b"<!-- Proxy Appliance -->\r\n<html><body>blocked",
            b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN">',
            b"<h1>Forbidden</h1>",
        ],
    )
    def test_a_web_page_is_recognized_whatever_comes_first_in_it(self, body: bytes) -> None:
        message = str(error_of(an_answer(403, body, **{"content-type": "text/plain"})))
        assert "403, with a web page: a firewall refuses the IP address" in message

    @pytest.mark.parametrize(
        "body",
        [b"", b"error code: 1020", b"Access denied", b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'],
    )
    def test_a_403_in_another_form_than_the_apis_names_the_firewall_too(self, body: bytes) -> None:
        message = str(error_of(an_answer(403, body, **{"content-type": "text/plain"})))
        assert "with a body that is not the API's: a firewall refuses the IP address" in message
        assert "check the key" not in message

    @pytest.mark.parametrize("status", [400, 402, 405, 406, 407, 451])
    def test_another_refusal_that_is_a_web_page_is_not_taken_for_the_apis(self, status: int) -> None:
        error = error_of(an_answer(status, b"<html><body>blocked", **{"content-type": "text/html"}))
        assert type(error) is RecallRefused
        assert "with a web page: it is not from the API: check RECALL_API_URL, and whether your network" in str(error)

    def test_a_sign_in_page_in_place_of_json_names_the_network(self) -> None:
        again = retry_of(an_answer(200, b"<html><body>Welcome. Sign in", content_type="text/html"))
        assert "whether your network has a proxy or a sign-in page in between" in str(again.error)

    def test_a_network_that_requires_a_login_is_named(self) -> None:
        assert "your network requires a login" in str(retry_of(an_answer(511, b"<html>")).error)

    @pytest.mark.parametrize(
        ("location", "named"),
        [
            ("https://login.company.invalid:8443/sso?token=hidden", "a redirect to login.company.invalid, which"),
            ("/login?next=hidden", "a redirect, which"),
            ("http://[hidden", "a redirect, which"),
        ],
    )
    def test_a_redirect_names_the_other_host_and_no_more(self, location: str, named: str) -> None:
        message = str(error_of(an_answer(302, b"<html>", location=location)))
        assert named in message
        assert "hidden" not in message

    def test_a_403_that_is_not_a_web_page_names_the_key(self) -> None:
        error = error_of(an_answer(403, {"detail": "You do not have permission."}))
        assert "check the key's permissions" in str(error)

    def test_errors_about_fields_are_quoted(self) -> None:
        error = error_of(an_answer(400, {"join_at": ["Enter a valid date.", "Or none."], "code": "invalid"}))
        assert "(join_at: Enter a valid date. Or none.; code: invalid)" in str(error)

    @pytest.mark.parametrize("body", [b"<html>", b"[]", b'"text"', b"{}", b"null", b"[" * 100_000])
    def test_an_error_without_details_has_none_in_its_text(self, body: bytes) -> None:
        assert str(error_of(an_answer(404, body))).startswith("list bot: HTTP 404: ")

    def test_a_quoted_detail_is_short_and_has_no_password(self) -> None:
        link = "https://x.zoom.us/j/812?pwd=hidden"
        error = error_of(an_answer(400, {"meeting_url": [f"{link} is not supported. {'x' * 9999}"]}))
        assert "hidden" not in str(error)
        assert len(str(error)) < 500

    def test_a_key_echoed_by_the_server_is_not_in_the_error(self) -> None:
        answer = an_answer(401, {"detail": "Invalid token key-of-nobody."})
        answer.request.headers["Authorization"] = "Token key-of-nobody"
        assert "key-of-nobody" not in str(error_of(answer))


class TestRetries:
    @pytest.mark.parametrize("status", [500, 502, 503, 504, 520])
    def test_a_server_error_may_be_retried(self, status: int) -> None:
        again = retry_of(an_answer(status, b"<html>"))
        assert isinstance(again.error, RecallUnreachable)
        assert again.error.retry_can_help
        assert again.after_seconds is None

    def test_a_conflict_may_be_retried(self) -> None:
        assert isinstance(retry_of(an_answer(409, {"code": "conflict"})).error, RecallRefused)

    def test_a_throttled_request_waits_as_long_as_requested(self) -> None:
        again = retry_of(an_answer(429, {"code": "throttled"}, retry_after="17"))
        assert isinstance(again.error, RecallThrottled)
        assert again.after_seconds == 17
        assert "RECALL_LIST_RPM" in str(again.error)

    def test_an_overloaded_server_may_request_a_wait_too(self) -> None:
        assert retry_of(an_answer(503, b"", retry_after="5")).after_seconds == 5


class TestRetryAfter:
    @pytest.mark.parametrize(("text", "seconds"), [("0", 0), ("17", 17), ("1.5", 1.5), (" 30 ", 30), ("86400", 86400)])
    def test_seconds_are_taken_in_full(self, text: str, seconds: float) -> None:
        assert retry_after_seconds(an_answer(429, retry_after=text)) == seconds

    def test_a_date_is_the_time_from_now_until_then(self) -> None:
        then = datetime.now(UTC) + timedelta(hours=2)
        seconds = retry_after_seconds(an_answer(429, retry_after=format_datetime(then, usegmt=True)))
        assert seconds == pytest.approx(7200, abs=30)

    def test_a_date_in_the_past_is_zero_seconds(self) -> None:
        assert retry_after_seconds(an_answer(429, retry_after="Wed, 21 Oct 2015 07:28:00 GMT")) == 0

    @pytest.mark.parametrize("text", ["", "soon", "-5", "nan", "inf", "1e999", "Wed, 99 Oct 2015", "1 minute"])
    def test_nonsense_counts_as_absent(self, text: str) -> None:
        assert retry_after_seconds(an_answer(429, retry_after=text)) is None

    def test_absent_is_none(self) -> None:
        assert retry_after_seconds(an_answer(429)) is None
