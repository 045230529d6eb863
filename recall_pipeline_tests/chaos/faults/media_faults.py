"""Faults of the media host: errors, stalls, cuts, wrong content, wrong addresses, expired links."""

from collections.abc import Callable, Iterable

from recall_pipeline_tests.chaos.faults.fault import Fault, always
from recall_pipeline_tests.chaos.trials import Trial
from recall_sandbox import ExpectedRow, Rule
from recall_sandbox.content import ErrorPage
from recall_sandbox.effects import (
    Cut,
    Delay,
    EditJson,
    Effect,
    IgnoreRange,
    Reply,
    Reset,
    Stall,
    Trickle,
    Truncate,
    error_page,
    expired_link,
    redirect,
    unavailable,
)

_HALF_BYTES = 12_000


def passing(effect: Effect, times: int = 2) -> Callable[[Trial], Iterable[Rule]]:
    """Injection a few downloads."""
    return always(Rule(effect, origin="media", times=times))


def lasting(effect: Effect) -> Callable[[Trial], Iterable[Rule]]:
    """Injection all downloads."""
    return always(Rule(effect, origin="media"))


def then(*effects: Effect) -> Callable[[Trial], Iterable[Rule]]:
    """Injection the requests for one MP3 with one effect after the other."""

    def inject(trial: Trial) -> Iterable[Rule]:
        return [Rule(effect, origin="media", path=f"{_one(trial).audio_id}", times=1) for effect in effects]

    return inject


def linked_to(url: str) -> Callable[[Trial], Iterable[Rule]]:
    """Replace every download link with this URL."""

    def edit(value: object) -> object:
        if isinstance(value, dict):
            return {k: url if k == "download_url" and v else edit(v) for k, v in value.items()}
        return [edit(item) for item in value] if isinstance(value, list) else value

    return always(Rule(EditJson(edit), origin="api"))


def _one(trial: Trial) -> ExpectedRow:
    return next(row for row in trial.expected_rows() if row.outcome == "ready")


def _served_twice(trial: Trial) -> Iterable[Rule]:
    """Serve a web page with status 200 for one MP3 until the fault is lifted."""
    row = _one(trial)
    page = ErrorPage()
    trial.may_serve(f"{row.audio_id}", page)
    yield Rule(Reply(200, page.body(), {"Content-Type": "text/html"}), origin="media", path=f"{row.audio_id}")


def _look_again(trial: Trial) -> tuple[str, ...]:
    return "--recording", _one(trial).recording_id


MEDIA_FAULTS = (
    Fault("media host answers 503", passing(unavailable(503))),
    Fault("media host answers 503 to the end", lasting(unavailable(503)), statuses=(1,), message="503"),
    Fault("media host resets", passing(Reset(_HALF_BYTES))),
    Fault("media host stalls", passing(Stall(_HALF_BYTES, 300), times=1)),
    Fault("media host trickles", passing(Trickle(chunk_bytes=100, pause_seconds=1), times=1)),
    Fault("MP3 cut short", passing(Cut(_HALF_BYTES))),
    Fault("MP3 truncated without an HTTP error", passing(Truncate(_HALF_BYTES), times=1)),
    Fault("MP3 empty", passing(Truncate(0), times=1)),
    Fault("an error page as audio, once", then(error_page())),
    Fault("an error page as audio, every time", _served_twice, may_miss=True, again=_look_again),
    Fault("403 in the middle of a download", then(Cut(_HALF_BYTES), expired_link())),
    Fault("links expire in the queue", passing(Delay(8), times=1),
          settings={"RECALL_CONCURRENCY": "1"}, switches={"link_life_seconds": 6}),
    Fault("links are always refused", lasting(expired_link()), statuses=(1,), message="403"),
    Fault("MP3 gone from the media host (404)", lasting(Reply(404)), statuses=(1,), message="404"),
    Fault("a resumed MP3 comes from its start", then(Cut(_HALF_BYTES), IgnoreRange())),
    Fault("a resumed MP3 answers another range",
          then(Cut(_HALF_BYTES), Reply(206, b"x" * 100, {"Content-Range": "bytes 7-106/24899"}))),
    Fault("a resumed MP3 answers 416", then(Cut(_HALF_BYTES), Reply(416))),
    Fault("media host has no DNS name", linked_to("http://media.invalid/a.mp3?Signature=s3cret"), statuses=(1,),
          message="media"),
    Fault("links of another scheme", linked_to("file:///etc/passwd?Signature=s3cret"), statuses=(1,),
          message="not http(s)"),
    Fault("links that are not URLs", linked_to("http://[::1"), statuses=(1,), message="recording"),
    Fault("media host redirects without end", lasting(redirect("/round/and/round")),
          statuses=(1,), message="redirects"),
    Fault("MP3 larger than RECALL_MAX_FILE_MB", lasting(Reply(200, b"\0" * 2**21)), statuses=(1,),
          settings={"RECALL_MAX_FILE_MB": "1"}, message="RECALL_MAX_FILE_MB"),
)  # fmt: skip
