"""No secret in any text or stored value (docs/design/recall-api.md, sections 4 and 6)."""

import logging
from typing import Any

import httpx
import pytest

from recall_pipeline.redaction import redact, redact_http_logs, redact_passwords, remove_secrets
from recall_pipeline.settings import Settings
from recall_pipeline_tests.workspace import Workspace, talk
from recall_sandbox import Rule, Sandbox
from recall_sandbox.effects import redirect

SECRET = "c3VwZXI"  # noqa: S105 -- opens nothing
URLS = [
    f"https://storage.invalid/a.mp3?Expires=1&Signature={SECRET}",
    f"HTTPS://storage.invalid/a.mp3?{SECRET}",
    f"https://storage.invalid/a.mp3#{SECRET}",
    f"https://user:{SECRET}@storage.invalid/a.mp3",
    f"https://{SECRET}@storage.invalid/a.mp3?x={SECRET}",
    f"zoommtg://zoom.invalid/join?confno=1&pwd={SECRET}",
]


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("text", ["{}", "cannot reach {} now", "Request('GET', '{}')", '"{}" "HTTP/1.1 200 OK"'])
def test_only_scheme_host_and_path_of_a_url_are_kept(url: str, text: str) -> None:
    redacted = redact(text.format(url))
    assert SECRET not in redacted
    assert ".invalid/" in redacted
    assert redacted.endswith(text.rpartition("{}")[2])


def test_all_urls_in_a_text_are_redacted() -> None:
    assert SECRET not in redact(f"{URLS[0]} then {URLS[3]}, {URLS[1]}")


@pytest.mark.parametrize("text", ["", "really? yes #1", "me@example.invalid", "file:///srv/data/a.mp3", "s3://b/k.mp3"])
def test_a_text_without_a_secret_is_unchanged(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    "name",
    [
        "meeting_password",
        "passcode",
        "pwd",
        "client_secret",
        "session_token",
        "X-Amz-Signature",
        "X-Amz-Credential",
        "Authorization",
        "api_key",
        "apiKey",
        "download_url",
    ],
)
def test_a_field_named_like_a_secret_is_removed_at_any_depth(name: str) -> None:
    assert remove_secrets({"kept": [{name: SECRET, "id": 1}]}) == {"kept": [{"id": 1}]}


def test_urls_in_values_are_redacted_and_other_values_are_unchanged() -> None:
    assert remove_secrets({"at": URLS[0], "n": 1, "none": None}) == {
        "at": "https://storage.invalid/a.mp3?…",
        "n": 1,
        "none": None,
    }


@pytest.mark.parametrize(
    "value",
    [
        {"password": SECRET, "team": "sales"},
        {"link": f"https://x.zoom.us/j/812?pwd={SECRET}&omn=1"},
        {"link": f"https://x.zoom.us/w/812?tk=a&uuid=b&pwd={SECRET}"},
        {"link": f"join at https://teams.microsoft.com/meet/23?p={SECRET} please"},
        {"link": f"https://x.webex.com/meet/me?pw={SECRET}"},
        {"calendar": '{"url": "https://x.zoom.us/j/812?pwd=' + SECRET + '"}'},
    ],
)
def test_a_users_own_fields_lose_meeting_passwords(value: dict[str, str]) -> None:
    assert SECRET not in str(redact_passwords(value))


@pytest.mark.parametrize(
    "value",
    [
        {"crm": "https://crm.invalid/deals?id=4&p=2#notes", "tokens": "9"},
        {"secretary": "Ann", "compass": "north", "nested": {"a": [1, None, True]}},
        "Weekly with Ann? p=0.5",
    ],
)
def test_everything_else_in_a_users_own_fields_is_unchanged(value: Any) -> None:
    assert redact_passwords(value) == value


class TestLogLines:
    @pytest.fixture
    def link(self, sandbox: Sandbox, settings: Settings) -> str:
        """A signed URL that serves an MP3."""
        (artifact,) = Workspace(sandbox, settings).meet("standup", talk())
        headers = {"Authorization": sandbox.api_key}
        read = httpx.get(f"{sandbox.api_url}/audio_mixed/{artifact.id}/", headers=headers)
        return str(read.json()["data"]["download_url"])

    def test_the_http_libraries_log_no_signature_of_a_url_in_flight(
        self, link: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        redact_http_logs()
        assert httpx.get(link).is_success
        assert {"httpx", "httpcore.http11", "httpcore.connection"} <= {record.name for record in caplog.records}
        assert "/recordings/" in caplog.text
        assert "Signature" not in caplog.text
        assert "x-amz-security-token" not in caplog.text

    def test_a_signed_url_in_a_response_header_is_redacted_too(
        self, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
    ) -> None:
        sandbox.faults.add(Rule(redirect(URLS[0])))
        caplog.set_level(logging.DEBUG)
        redact_http_logs()
        assert httpx.get(sandbox.media_url).is_redirect
        assert "storage.invalid/a.mp3" in caplog.text
        assert SECRET not in caplog.text

    def test_redacting_twice_adds_one_filter(self) -> None:
        redact_http_logs()
        before = list(logging.getLogger("httpx").filters)
        redact_http_logs()
        assert logging.getLogger("httpx").filters == before
