"""The bytes behind a download link come home whole, however the way there breaks."""

import asyncio
import gzip
import resource
import stat
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pytest
import stamina
from pydantic import SecretStr

from recall_pipeline.download.partials import Partial
from recall_pipeline.download.transfer import Transfer
from recall_pipeline.errors import LinkExpired, TransferError, TransferRefused
from recall_pipeline.http import async_client
from recall_pipeline_tests.forward_proxy import ForwardProxy, company_certificates, tls_host
from recall_pipeline_tests.workspace import Rewritten, Workspace, talk
from recall_sandbox import Rule
from recall_sandbox.content import RawAudio, body_of
from recall_sandbox.effects import (
    Answer,
    Call,
    Cut,
    Effect,
    IgnoreRange,
    Reply,
    Reset,
    Stall,
    expired_link,
    redirect,
    unavailable,
)
from recall_sandbox.network_effects import Unpromised
from recall_sandbox.records import Artifact

BODY = body_of(talk())
HALF = len(BODY) // 2


class Download:
    """One artifact of a workspace, brought into one partial file."""

    def __init__(self, workspace: Workspace, artifact: Artifact, folder: Path) -> None:
        self.workspace = workspace
        self.artifact = artifact
        self.partial = Partial(folder / "some.part")
        self.fresh_urls = 0
        self.promised = False

    def fetch(self, url: str | None = None, *, clock: Callable[[], float] | None = None, **changes: Any) -> Transfer:
        """Fetch it from a fresh link, or from `url`; `changes` are settings."""
        return asyncio.run(self._fetch(url, clock, changes))

    def strike(self, effect: Effect, times: int | None = 1) -> None:
        """Let something happen to the next requests of the media host; what was added first happens first."""
        self.workspace.sandbox.faults.add(Rule(effect, origin="media", times=times))

    @property
    def content(self) -> bytes:
        """What has been received."""
        return self.partial.path.read_bytes()

    @property
    def ranges(self) -> list[str | None]:
        """The ranges that were asked for, request by request."""
        return [access.range for access in self.workspace.accesses(origin="media")]

    async def _fetch(self, url: str | None, clock: Callable[[], float] | None, changes: dict[str, Any]) -> Transfer:
        settings = self.workspace.settings.model_copy(update=changes)
        async with async_client(timeout=0.5) as http:
            transfer = Transfer(http, settings, clock=clock) if clock else Transfer(http, settings)
            self.promised = await transfer.fetch(SecretStr(url or self.link()), self._fresh, self.partial)
        return transfer

    async def _fresh(self) -> SecretStr:
        self.fresh_urls += 1
        return SecretStr(self.link())

    def link(self) -> str:
        """Read the artifact, which mints a link."""
        url = f"{self.workspace.sandbox.api_url}/audio_mixed/{self.artifact.id}/"
        answer = httpx.get(url, headers={"Authorization": self.workspace.sandbox.api_key})
        link: str = answer.raise_for_status().json()["data"]["download_url"]
        return link


SIGN_IN_PAGE = Reply(200, b"<html>Sign in to continue</html>", {"Content-Type": "text/html; charset=utf-8"})


@pytest.fixture
def download(workspace: Workspace, tmp_path: Path) -> Download:
    [artifact] = workspace.meet("one", talk())
    return Download(workspace, artifact, tmp_path)


@dataclass(frozen=True)
class Unannounced:
    """An effect that serves the true body without a Content-Length."""

    async def apply(self, call: Call) -> None:
        answer = await call.normal_answer()
        await call.send({"type": "http.response.start", "status": answer.status, "headers": []})
        await call.send({"type": "http.response.body", "body": answer.body})


@dataclass(frozen=True)
class CutUnder:
    """An effect that announces the whole body under this ETag, serves half of it and hangs up."""

    etag: str | None

    async def apply(self, call: Call) -> None:
        headers = {"etag": self.etag} if self.etag else {}
        await call.begin(Answer(200, BODY, headers), len(BODY), BODY[:HALF])
        call.connection.close()


@dataclass(frozen=True)
class CutAfter:
    """An effect that serves so many bytes of what was asked for, and hangs up."""

    size_bytes: int

    async def apply(self, call: Call) -> None:
        answer = await call.normal_answer()
        await call.begin(answer, len(answer.body), answer.body[: self.size_bytes])
        call.connection.close()


def with_headers(**changed: str | None) -> Rewritten:
    """Change headers of the answer; None takes one out."""

    def rewrite(answer: Answer) -> Answer:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        headers |= {name.replace("_", "-"): value for name, value in changed.items() if value is not None}
        gone = {name.replace("_", "-") for name, value in changed.items() if value is None}
        return replace(answer, headers={name: value for name, value in headers.items() if name not in gone})

    return Rewritten(rewrite)


def test_a_whole_body_arrives_byte_for_byte(download: Download) -> None:
    transfer = download.fetch()
    assert download.content == BODY
    assert transfer.bytes_received == len(BODY)


def test_partial_files_are_for_their_owner_only(download: Download, tmp_path: Path) -> None:
    download.fetch()
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("some.part*")} == {0o600}


def test_a_body_cut_off_in_the_middle_is_resumed_where_it_broke(download: Download) -> None:
    download.strike(Cut(HALF))
    transfer = download.fetch()
    assert download.content == BODY
    assert download.ranges == [None, f"bytes={HALF}-"]
    assert transfer.bytes_received == len(BODY)


def test_a_reset_connection_costs_no_byte_twice(download: Download) -> None:
    download.strike(Reset(after_bytes=HALF))
    transfer = download.fetch()
    assert download.content == BODY
    assert transfer.bytes_received == len(BODY)


def test_a_later_process_resumes_what_an_earlier_one_left(download: Download) -> None:
    download.strike(Cut(HALF))
    with stamina.set_testing(True), pytest.raises(TransferError, match=f"after {HALF} bytes"):
        download.fetch()
    download.fetch()
    assert download.content == BODY
    assert download.ranges[1:] == [f"bytes={HALF}-"]


def test_a_connection_that_falls_silent_is_given_up_and_resumed(download: Download) -> None:
    download.strike(Stall(after_bytes=HALF, seconds=30))
    download.fetch()
    assert download.content == BODY
    assert download.ranges[-1] == f"bytes={HALF}-"


def test_a_trickle_is_given_up(download: Download) -> None:
    minutes = count(step=61)
    with stamina.set_testing(True), pytest.raises(TransferError, match="bytes in 60 s"):
        download.fetch(clock=lambda: float(next(minutes)))


def test_a_download_ends_in_time_however_its_host_feeds_it(download: Download) -> None:
    download.workspace.world.replace_audio(download.artifact.id, RawAudio(seconds=400))
    download.strike(CutAfter(2**16), times=None)
    just_enough_a_window = count(step=19)
    with stamina.set_testing(True, attempts=100), pytest.raises(TransferError):
        download.fetch(clock=lambda: float(next(just_enough_a_window)))
    assert len(download.ranges) < 50
    assert 2**16 < download.partial.size_bytes < len(body_of(RawAudio(seconds=400)))


def test_a_slow_line_that_moves_on_is_not_given_up(download: Download) -> None:
    body = RawAudio(seconds=40)
    download.workspace.world.replace_audio(download.artifact.id, body)
    seconds_a_chunk = count(step=7)
    download.fetch(clock=lambda: float(next(seconds_a_chunk)))
    assert download.content == body_of(body)


def test_a_range_that_is_served_in_parts_is_asked_for_until_it_is_whole(download: Download) -> None:
    quarter = HALF + len(BODY) // 4
    part = f"bytes {HALF}-{quarter - 1}/{len(BODY)}"
    shortened = Rewritten(
        lambda answer: replace(
            answer, body=answer.body[: quarter - HALF], headers={**answer.headers, "content-range": part}
        )
    )
    download.strike(Cut(HALF))
    download.strike(shortened)
    download.fetch()
    assert download.content == BODY
    assert download.ranges == [None, f"bytes={HALF}-", f"bytes={quarter}-"]


@pytest.mark.parametrize(
    "changed",
    [
        {"content_range": None},
        {"content_range": "bytes 0-9/10"},
        {"content_range": f"bytes {HALF + 1}-{len(BODY) - 1}/{len(BODY)}"},
        {"content_range": "nonsense"},
        {"etag": '"of other bytes"'},
    ],
    ids=str,
)
def test_a_206_that_does_not_fit_what_is_there_starts_again(download: Download, changed: dict[str, str | None]) -> None:
    download.strike(Cut(HALF))
    download.strike(with_headers(**changed))
    download.fetch()
    assert download.content == BODY
    assert download.ranges == [None, f"bytes={HALF}-", None]


def test_an_unrequested_206_is_not_accepted_as_the_whole_file(download: Download) -> None:
    download.strike(Reply(206, BODY[:HALF], {"Content-Range": f"bytes 0-{HALF - 1}/{len(BODY)}"}))
    download.fetch()
    assert download.content == BODY


@pytest.mark.parametrize("unit", ["bytes", "Bytes", "BYTES"])
def test_a_206_of_the_whole_is_the_whole_without_a_request_for_a_range(download: Download, unit: str) -> None:
    download.strike(Reply(206, BODY, {"Content-Range": f"{unit} 0-{len(BODY) - 1}/{len(BODY)}"}))
    download.fetch()
    assert download.content == BODY
    assert download.ranges == [None]


@pytest.mark.parametrize(
    "content_range",
    [
        f"bytes 1-{len(BODY) - 1}/{len(BODY)}",
        f"bytes 0-{len(BODY) - 1}/*",
        f"bytes 0-{len(BODY)}/{len(BODY)}",
        f"bytes {len(BODY) - 1}-0/{len(BODY)}",
        f"items 0-{len(BODY) - 1}/{len(BODY)}",
        "bytes */*",
        "",
    ],
)
def test_any_other_206_without_a_request_for_a_range_is_not_the_whole(download: Download, content_range: str) -> None:
    download.strike(Reply(206, BODY[1:], {"Content-Range": content_range}))
    download.fetch()
    assert download.content == BODY
    assert download.ranges == [None, None]


def test_a_host_that_serves_only_slices_is_asked_for_each(download: Download) -> None:
    third = len(BODY) // 3
    etag = httpx.get(download.link()).headers["etag"]
    for first, last in ((0, third - 1), (third, 2 * third - 1), (2 * third, len(BODY) - 1)):
        content_range = f"bytes {first}-{last}/{len(BODY)}"
        download.strike(Reply(206, BODY[first : last + 1], {"Content-Range": content_range, "ETag": etag}))
    download.fetch()
    assert download.content == BODY
    assert download.ranges[1:] == [None, f"bytes={third}-", f"bytes={2 * third}-"]


@pytest.mark.parametrize(
    "spelled", ["Bytes {0}-{1}/{2}", "bytes {0}-{1}/*", "BYTES  {0} - {1} / {2}", "bytes={0}-{1}/{2}"]
)
def test_a_resumed_range_counts_in_every_spelling(download: Download, spelled: str) -> None:
    download.strike(Cut(HALF))
    download.strike(with_headers(content_range=spelled.format(HALF, len(BODY) - 1, len(BODY))))
    download.fetch()
    assert download.content == BODY
    assert download.ranges == [None, f"bytes={HALF}-"]


def test_a_part_of_unknown_total_is_not_the_end_if_the_first_answer_promised_more(download: Download) -> None:
    quarter = HALF + len(BODY) // 4
    etag = httpx.get(download.link()).headers["etag"]
    download.strike(Cut(HALF))
    download.strike(Reply(206, BODY[HALF:quarter], {"Content-Range": f"bytes {HALF}-{quarter - 1}/*", "ETag": etag}))
    download.fetch()
    assert download.content == BODY
    assert download.ranges[-1] == f"bytes={quarter}-"


@pytest.mark.parametrize("content_range", ["bytes */{0}", "Bytes */{0}", "bytes=*/{0}", None])
def test_a_416_for_a_file_that_is_whole_ends_the_download(download: Download, content_range: str | None) -> None:
    download.partial.start(httpx.get(download.link()).headers["etag"], len(BODY))
    download.partial.path.write_bytes(BODY)
    headers = {"Content-Range": content_range.format(len(BODY))} if content_range else {}
    download.strike(Reply(416, b"", headers))
    transfer = download.fetch()
    assert (download.content, transfer.bytes_received) == (BODY, 0)


def test_a_416_for_another_size_starts_again(download: Download) -> None:
    download.strike(Cut(HALF))
    download.strike(Reply(416, b"", {"Content-Range": f"bytes */{HALF - 1}"}))
    download.fetch()
    assert download.content == BODY
    assert download.ranges == [None, f"bytes={HALF}-", None]


def test_a_host_that_ignores_ranges_serves_the_whole_again(download: Download) -> None:
    download.strike(Cut(HALF))
    download.strike(IgnoreRange())
    download.fetch()
    assert download.content == BODY


@dataclass(frozen=True)
class Chunked:
    """An effect that serves the body in chunks, with a Content-Length that HTTP ignores; `cut`: not to its end."""

    cut: bool = False

    async def apply(self, call: Call) -> None:
        answer = await call.normal_answer()
        headers = [(b"transfer-encoding", b"chunked")]
        await call.send({"type": "http.response.start", "status": 200, "headers": headers})
        body = answer.body[:HALF] if self.cut else answer.body
        await call.send({"type": "http.response.body", "body": body, "more_body": self.cut})
        if self.cut:
            call.connection.close()


def test_a_chunked_body_is_whole_only_with_its_last_chunk(download: Download) -> None:
    download.strike(Chunked(cut=True))
    download.strike(Chunked())
    download.fetch()
    assert download.content == BODY
    assert download.promised


def test_a_body_without_length_or_chunks_is_not_promised(download: Download) -> None:
    download.strike(Unpromised())
    download.fetch()
    assert download.content == BODY
    assert not download.promised


def test_bytes_that_changed_in_between_start_again(download: Download) -> None:
    download.strike(Cut(HALF))
    with stamina.set_testing(True), pytest.raises(TransferError):
        download.fetch()
    download.workspace.world.replace_audio(download.artifact.id, talk(2))
    download.fetch()
    assert download.content == body_of(talk(2))


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
def test_without_a_strong_etag_nothing_is_resumed(download: Download, etag: str | None) -> None:
    download.strike(CutUnder(etag))
    download.fetch()
    assert download.content == BODY
    assert download.ranges == [None, None]


@pytest.mark.parametrize("note", [None, "{", "[]", '{"etag": 7}'])
def test_a_partial_file_with_an_unreadable_note_starts_again(download: Download, note: str | None) -> None:
    download.partial.start('"some"')
    download.partial.path.write_bytes(b"of something else")
    beside = download.partial.path.with_name("some.part.json")
    beside.unlink() if note is None else beside.write_text(note)
    download.fetch()
    assert download.content == BODY
    assert download.ranges == [None]


def test_a_partial_file_longer_than_what_is_served_starts_again(download: Download) -> None:
    etag = httpx.get(download.link()).headers["etag"]
    download.partial.start(etag)
    download.partial.path.write_bytes(BODY + b"more")
    download.fetch()
    assert download.content == BODY
    assert download.ranges[1:] == [f"bytes={len(BODY) + 4}-", None]


def test_a_partial_file_that_is_whole_is_not_fetched_again(download: Download) -> None:
    download.partial.start(httpx.get(download.link()).headers["etag"])
    download.partial.path.write_bytes(BODY)
    transfer = download.fetch()
    assert download.content == BODY
    assert (download.ranges[1:], transfer.bytes_received) == ([f"bytes={len(BODY)}-"], 0)


def test_more_bytes_than_were_promised_are_not_taken(download: Download) -> None:
    download.strike(Cut(HALF))
    download.strike(with_headers(content_range=f"bytes {HALF}-{len(BODY) - 101}/{len(BODY) - 100}"))
    download.fetch()
    assert download.content == BODY
    assert download.ranges == [None, f"bytes={HALF}-", None]


def test_after_a_link_expired_the_same_bytes_go_on_from_a_fresh_one(download: Download) -> None:
    download.strike(Cut(HALF))
    download.strike(expired_link())
    transfer = download.fetch()
    assert download.content == BODY
    assert download.ranges == [None, f"bytes={HALF}-", f"bytes={HALF}-"]
    assert (download.fresh_urls, transfer.bytes_received) == (1, len(BODY))


def test_links_that_are_never_honoured_are_given_up(download: Download) -> None:
    download.strike(expired_link(), times=None)
    with pytest.raises(LinkExpired, match="answers 403, even to a fresh URL"):
        download.fetch()
    assert (download.fresh_urls, len(download.ranges)) == (3, 4)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 407, 410, 418, 451, 499])
def test_any_refusal_of_a_link_deserves_a_fresh_one_and_no_second_request(download: Download, status: int) -> None:
    download.strike(Reply(status, b"<Error><Code>ExpiredToken</Code></Error>", {"Content-Type": "application/xml"}))
    download.fetch()
    assert download.content == BODY
    assert (download.fresh_urls, len(download.ranges)) == (1, 2)


@pytest.mark.parametrize("status", [408, 416, 429, 500, 503])
def test_a_link_that_is_good_is_requested_again(download: Download, status: int) -> None:
    download.strike(Reply(status))
    download.fetch()
    assert download.content == BODY
    assert (download.fresh_urls, len(download.ranges)) == (0, 2)


def test_links_that_die_after_some_bytes_each_are_replaced_more_often(download: Download) -> None:
    step = len(BODY) // 8
    for _ in range(6):
        download.strike(CutAfter(step))
        download.strike(Reply(400))
    download.fetch()
    assert download.content == BODY
    assert download.fresh_urls == 6


def test_a_dead_link_is_never_requested_a_second_time(download: Download) -> None:
    link = download.link()
    download.link = lambda: link  # type: ignore[method-assign]
    download.strike(Reply(400), times=None)
    with pytest.raises(LinkExpired, match="returned the same URL that the media host refused"):
        download.fetch()
    assert len(download.ranges) == 1


def test_a_403_that_is_a_web_page_names_the_firewall_and_the_sending_address(download: Download) -> None:
    download.strike(Reply(403, b"<html>Access denied</html>", {"Content-Type": "text/html"}), times=None)
    with pytest.raises(LinkExpired, match="a firewall refuses the IP address that this machine sends from"):
        download.fetch()


def test_a_host_that_is_busy_is_asked_again(download: Download) -> None:
    download.strike(unavailable(), times=2)
    download.fetch()
    assert download.content == BODY


def test_a_host_that_stays_busy_is_named_by_its_status(download: Download) -> None:
    download.strike(unavailable(503), times=None)
    with pytest.raises(TransferError, match="answers 503"):
        download.fetch()


def test_a_redirect_is_followed(download: Download) -> None:
    download.strike(redirect(download.link()))
    download.fetch()
    assert download.content == BODY


def test_a_redirect_to_a_web_page_is_not_the_file_and_a_fresh_url_is_tried(download: Download) -> None:
    download.strike(redirect("/sign-in"))
    download.strike(SIGN_IN_PAGE)
    download.fetch()
    assert (download.content, download.fresh_urls) == (BODY, 1)


def test_a_network_that_redirects_every_download_to_its_sign_in_page_is_named(download: Download) -> None:
    for _ in range(4):
        download.strike(redirect("/sign-in"))
        download.strike(SIGN_IN_PAGE)
    with pytest.raises(LinkExpired, match="redirects to a web page, such as the sign-in page of your network") as fault:
        download.fetch()
    assert fault.value.is_host_fault


def test_a_redirect_without_end_is_given_up(download: Download) -> None:
    download.strike(redirect("/again"), times=None)
    with pytest.raises(TransferError, match="redirects without end"):
        download.fetch()


def packed_as(coding: str) -> bytes:
    """The body, packed by these codings in their order."""
    body = BODY
    for name in coding.lower().split(","):
        body = PACKERS[name.strip()](body)
    return body


def _bare_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": lambda body: gzip.compress(body[:HALF]) + gzip.compress(body[HALF:]),
    "deflate": zlib.compress,
    "deflate ": _bare_deflate,
    "br": lambda body: pa.compress(body, "brotli", asbytes=True),
    "zstd": lambda body: pa.compress(body, "zstd", asbytes=True),
    "identity": lambda body: body,
    "aws-chunked": lambda body: body,
}


def packed(body: bytes, coding: str) -> Rewritten:
    """Answer with `body` and this Content-Encoding, whatever range was requested."""
    return Rewritten(lambda answer: replace(answer, body=body, headers={**answer.headers, "content-encoding": coding}))


@pytest.mark.parametrize(
    "coding",
    ["gzip", "GZIP", "x-gzip", "deflate", "br", "zstd", "gzip, br", "identity", "aws-chunked", "aws-chunked,gzip"],
)
def test_a_body_packed_although_identity_was_requested_is_unpacked(download: Download, coding: str) -> None:
    download.strike(packed(packed_as(coding), coding))
    download.fetch()
    assert download.content == BODY
    assert [path.name for path in download.partial.path.parent.glob("*unpack*")] == []


def test_a_bare_deflate_stream_is_unpacked(download: Download) -> None:
    download.strike(packed(_bare_deflate(BODY), "deflate"))
    download.fetch()
    assert download.content == BODY


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "compress", "gzip, gzip, gzip, gzip", "nonsense"])
def test_a_plain_body_labelled_as_packed_is_kept_as_it_came(download: Download, coding: str) -> None:
    download.strike(packed(BODY, coding))
    download.fetch()
    assert download.content == BODY


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_body_that_unpacks_beyond_the_limit_is_refused(download: Download, coding: str) -> None:
    bomb = PACKERS[coding](b"\0" * (3 * 2**20))
    download.strike(packed(bomb, coding))
    with pytest.raises(TransferRefused, match="larger than RECALL_MAX_FILE_MB=1"):
        download.fetch(max_file_mb=1)
    assert sum(path.stat().st_size for path in download.partial.path.parent.iterdir()) < 2**20


def test_a_packed_body_that_is_cut_off_is_resumed_by_its_packed_bytes(download: Download) -> None:
    body = gzip.compress(BODY)
    half = len(body) // 2
    headers = {"etag": '"packed"', "content-encoding": "gzip"}
    rest = {"content-range": f"bytes {half}-{len(body) - 1}/{len(body)}", "etag": '"packed"'}
    download.strike(CutBody(body, half, headers))
    download.strike(Reply(206, body[half:], rest))
    download.fetch()
    assert download.content == BODY
    assert download.ranges == [None, f"bytes={half}-"]


@dataclass(frozen=True)
class CutBody:
    """An effect that announces a whole body, serves a part of it and hangs up."""

    body: bytes
    after_bytes: int
    headers: dict[str, str]

    async def apply(self, call: Call) -> None:
        await call.begin(Answer(200, self.body, self.headers), len(self.body), self.body[: self.after_bytes])
        call.connection.close()


def test_a_body_announced_as_too_large_is_refused_before_it_comes(download: Download) -> None:
    download.workspace.world.replace_audio(download.artifact.id, RawAudio(seconds=40))
    with pytest.raises(TransferRefused, match="larger than RECALL_MAX_FILE_MB=1"):
        download.fetch(max_file_mb=1)
    assert download.partial.size_bytes == 0
    assert len(download.ranges) == 1


@pytest.mark.parametrize("digits", [14, 19, 5000])
def test_an_absurd_length_is_refused_before_a_byte_is_written(download: Download, digits: int) -> None:
    download.strike(Cut(HALF))
    download.strike(with_headers(content_range=f"bytes {HALF}-{len(BODY)}/{'9' * digits}"))
    with pytest.raises(TransferRefused, match="larger than RECALL_MAX_FILE_MB=4096"):
        download.fetch()
    assert download.partial.size_bytes == HALF


def test_a_body_that_grows_too_large_is_refused_on_the_way(download: Download) -> None:
    download.workspace.world.replace_audio(download.artifact.id, RawAudio(seconds=400))
    download.strike(Unannounced())
    with pytest.raises(TransferRefused, match="larger than RECALL_MAX_FILE_MB=1"):
        download.fetch(max_file_mb=1)
    assert download.partial.size_bytes < 2 * 2**20


def test_a_full_disk_is_reported_and_not_retried(download: Download) -> None:
    with largest_file(HALF), pytest.raises(TransferRefused, match=r"cannot write .*some\.part: File too large\. Raise"):
        download.fetch()
    assert len(download.ranges) == 1


@contextmanager
def largest_file(size_bytes: int) -> Iterator[None]:
    """Let the system refuse larger files to this process, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/a.mp3", "nonsense", "http://[broken/", "//host/a"])
def test_only_http_addresses_are_opened(download: Download, url: str) -> None:
    with pytest.raises(TransferRefused, match="download URL"):
        download.fetch(url)
    assert download.ranges == []


def test_nothing_private_is_opened_while_the_api_is_a_public_one(download: Download) -> None:
    with pytest.raises(TransferRefused, match=r"points at 127\.0\.0\.1, a private address"):
        download.fetch(download.link(), api_url="https://api.invalid/api/v1")
    assert download.ranges == []


def test_a_name_that_means_a_private_address_is_not_opened(download: Download) -> None:
    link = download.link().replace("127.0.0.1", "localhost")
    with pytest.raises(TransferRefused, match="points at localhost, a private address"):
        download.fetch(link, api_url="https://api.invalid/api/v1")
    assert download.ranges == []


@pytest.mark.parametrize("unused", [None, "NO_PROXY", "HTTPS_PROXY"])
def test_a_name_that_means_another_address_once_it_was_checked_is_not_read(
    download: Download, monkeypatch: pytest.MonkeyPatch, unused: str | None
) -> None:
    if unused:  # a proxy that this download does not go through
        monkeypatch.setenv(unused, "http://proxy.invalid:3128")

    async def as_it_was(host: str, port: int) -> list[str]:
        return ["93.184.215.14"]

    monkeypatch.setattr("recall_pipeline.download.url_guard._resolve", as_it_was)
    with pytest.raises(TransferRefused, match=r"127\.0\.0\.1 answers from a private address; nothing of it was read"):
        download.fetch(download.link(), api_url="https://api.invalid/api/v1")
    assert download.partial.size_bytes == 0


def test_an_allowed_network_may_be_private(download: Download) -> None:
    download.fetch(download.link(), api_url="https://api.invalid/api/v1", allowed_networks="10.0.0.0/8, 127.0.0.0/8")
    assert download.content == BODY


@pytest.mark.parametrize(
    "host",
    [
        *("169.254.169.254", "[fd00:ec2::254]", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]"),
        *("[fd20:ce::254]", "100.100.100.200", "168.63.129.16"),
    ],
)
def test_the_credentials_of_a_cloud_host_are_never_an_allowed_network(download: Download, host: str) -> None:
    with pytest.raises(TransferRefused, match="a private address"):
        download.fetch(f"http://{host}/a", api_url="https://api.invalid/api/v1", allowed_networks="0.0.0.0/0, ::/0")


@pytest.mark.parametrize("address", ["[::ffff:10.0.0.1]", "[64:ff9b::a00:1]", "[::1]", "[fe80::1]", "100.64.0.1"])
def test_no_spelling_of_a_private_address_is_opened(download: Download, address: str) -> None:
    with pytest.raises(TransferRefused, match="a private address"):
        download.fetch(f"http://{address}/a", api_url="https://api.invalid/api/v1")


def test_behind_a_proxy_a_host_is_reached_that_only_the_proxy_resolves(
    download: Download, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = httpx.URL(download.link())
    assert media.port
    with ForwardProxy({"media.invalid": media.port}).running() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        link = str(media.copy_with(host="media.invalid", port=None))
        download.fetch(link, api_url="https://api.invalid/api/v1")
    assert download.content == BODY
    assert [line.split("?")[0] for line in proxy.seen] == [
        f"GET http://media.invalid{media.raw_path.decode().split('?')[0]}"
    ]


def test_a_proxy_tunnels_a_download_to_the_media_host_and_sees_nothing_of_its_link(
    download: Download, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, tls = company_certificates(tmp_path, "media.invalid")
    media = httpx.URL(download.link())
    origin = str(media.copy_with(raw_path=b"/")).rstrip("/")
    with tls_host(origin, tls) as port, ForwardProxy({"media.invalid": port}).running() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("SSL_CERT_FILE", str(root))
        link = str(media.copy_with(scheme="https", host="media.invalid", port=None))
        download.fetch(link, api_url="https://api.invalid/api/v1")
    assert download.content == BODY
    assert set(proxy.seen) == {"CONNECT media.invalid:443 HTTP/1.1"}


def test_behind_a_proxy_no_private_address_in_a_link_is_opened(
    download: Download, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ForwardProxy({}).running() as proxy:
        monkeypatch.setenv("all_proxy", proxy.url)
        with pytest.raises(TransferRefused, match="a private address"):
            download.fetch("http://10.0.0.5/a", api_url="https://api.invalid/api/v1")
    assert proxy.seen == []


def test_a_proxy_that_requires_a_login_is_named_by_its_variable(
    download: Download, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ForwardProxy({}, refusal="407 Proxy Authentication Required").running() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        with pytest.raises(TransferError, match=r"the proxy of HTTP_PROXY requires a login \(407\)"):
            download.fetch("http://media.invalid/a", api_url="https://api.invalid/api/v1")


def test_no_redirect_leads_from_a_public_host_to_a_private_one(download: Download) -> None:
    asked = []

    def public_host(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(302, headers={"Location": "http://169.254.169.254/latest/meta-data/"})

    async def fetch() -> None:
        settings = download.workspace.settings.model_copy(update={"api_url": "https://api.invalid/api/v1"})
        async with httpx.AsyncClient(transport=httpx.MockTransport(public_host)) as http:
            url = SecretStr("https://93.184.215.14/a.mp3")
            await Transfer(http, settings).fetch(url, download._fresh, download.partial)

    with pytest.raises(TransferRefused, match="a private address"):
        asyncio.run(fetch())
    assert asked == ["93.184.215.14"]


@pytest.mark.parametrize(
    "effect", [Reset(), Cut(10), expired_link(), unavailable(), redirect("/x?Signature=s")], ids=str
)
def test_no_failure_and_no_note_quotes_the_link(download: Download, effect: Effect) -> None:
    download.strike(effect, times=None)
    with pytest.raises(TransferError) as failure:
        download.fetch()
    noted = [path.read_text() for path in download.partial.path.parent.glob("*.json")]
    assert not [text for text in (str(failure.value), *noted) if "Signature" in text or "?" in text]


def test_the_media_host_never_sees_the_key(download: Download) -> None:
    download.strike(Cut(HALF))
    download.strike(expired_link())
    download.fetch()
    accesses = download.workspace.accesses(origin="media")
    assert len(accesses) == 3
    assert not [access for access in accesses if access.had_authorization]
