import time
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from recall_pipeline_tests.sandbox.api_reads import artifact_of, fresh_link
from recall_sandbox import Sandbox
from recall_sandbox.content import body_of, digest_of

ARTIFACT = artifact_of("interview")
assert ARTIFACT.content is not None
BODY = body_of(ARTIFACT.content)
ETAG = f'"{digest_of(ARTIFACT.content).md5}"'


@pytest.fixture
def link(api: httpx.Client) -> str:
    return fresh_link(api, ARTIFACT.id)


def test_a_link_serves_the_bytes_without_a_key(link: str, storage: httpx.Client) -> None:
    answer = storage.get(link)
    assert answer.status_code == 200
    assert answer.content == BODY
    assert answer.headers["Content-Length"] == str(len(BODY))
    assert answer.headers["Content-Type"] == "audio/mpeg"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["ETag"] == ETAG


def test_a_link_has_an_expiry_and_a_session_token(link: str) -> None:
    query = parse_qs(urlsplit(link).query)
    life_seconds = int(query["Expires"][0]) - time.time()
    assert 5.9 * 3600 < life_seconds <= 6 * 3600
    assert query["x-amz-security-token"]
    assert query["Signature"]


def test_an_expired_link_is_refused(sandbox: Sandbox, api: httpx.Client, storage: httpx.Client) -> None:
    sandbox.behaviour.link_life_seconds = -2
    answer = storage.get(fresh_link(api, ARTIFACT.id))
    assert answer.status_code == 403
    assert "<Code>AccessDenied</Code><Message>Request has expired</Message>" in answer.text


@pytest.mark.parametrize(
    ("part", "forged"),
    [("Expires=", "Expires=9"), (ARTIFACT.id, artifact_of("kickoff").id), ("token=", "token=x")],
)
def test_a_tampered_link_is_refused(link: str, storage: httpx.Client, part: str, forged: str) -> None:
    assert part in link
    answer = storage.get(link.replace(part, forged))
    assert answer.status_code == 403
    assert "<Code>SignatureDoesNotMatch</Code>" in answer.text


def test_a_link_without_its_query_is_refused(link: str, storage: httpx.Client) -> None:
    assert storage.get(link.partition("?")[0]).status_code == 403


def test_a_link_of_another_run_is_refused(sandbox: Sandbox, link: str) -> None:
    with Sandbox(sandbox.world).running() as other:
        moved = link.replace(sandbox.media_url, other.media_url)
        assert httpx.get(moved).status_code == 403


def test_storage_refuses_the_key_and_head(sandbox: Sandbox, link: str, storage: httpx.Client) -> None:
    with_key = storage.get(link, headers={"Authorization": sandbox.api_key})
    assert with_key.status_code == 403
    assert storage.head(link).status_code == 403


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-99", 0, 99),
        ("bytes=1000-", 1000, len(BODY) - 1),
        ("bytes=-10", len(BODY) - 10, len(BODY) - 1),
        ("bytes=5-999999999", 5, len(BODY) - 1),
    ],
)
def test_a_range_request_gets_only_its_range(
    link: str, storage: httpx.Client, asked: str, first: int, last: int
) -> None:
    answer = storage.get(link, headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(BODY)}"
    assert answer.content == BODY[first : last + 1]


def test_a_range_after_the_end_is_refused(link: str, storage: httpx.Client) -> None:
    answer = storage.get(link, headers={"Range": f"bytes={len(BODY)}-"})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(BODY)}"


@pytest.mark.parametrize("asked", ["bytes=0-1,4-5", "bytes=-", "seconds=1-2"])
def test_a_range_that_is_not_one_range_of_bytes_is_ignored(link: str, storage: httpx.Client, asked: str) -> None:
    answer = storage.get(link, headers={"Range": asked})
    assert (answer.status_code, len(answer.content)) == (200, len(BODY))


@pytest.mark.parametrize(("etag", "status"), [(ETAG, 206), ('"another"', 200)])
def test_a_range_is_served_only_with_the_current_etag(link: str, storage: httpx.Client, etag: str, status: int) -> None:
    answer = storage.get(link, headers={"Range": "bytes=7-", "If-Range": etag})
    assert answer.status_code == status
    assert answer.content == (BODY[7:] if status == 206 else BODY)


def test_a_link_to_deleted_audio_answers_404(sandbox: Sandbox, link: str, storage: httpx.Client) -> None:
    sandbox.world.delete_artifact(ARTIFACT.id)
    answer = storage.get(link)
    assert answer.status_code == 404
    assert "<Code>NoSuchKey</Code>" in answer.text


def test_the_error_page_is_served_as_audio(api: httpx.Client, storage: httpx.Client) -> None:
    answer = storage.get(fresh_link(api, artifact_of("error-page").id))
    assert answer.status_code == 200
    assert answer.text.startswith("<!DOCTYPE html>")
