"""A hostile service for the probe: a canary in every value, key, header, code and URL of damaged payloads.

    python -m recall_pipeline_tests.chaos.canaries [--examples 10000] [--seed N]

Each example is a workspace of `chaos.payloads` with canaries, answered with random statuses and headers. The probe
must end with a report, and every word in the report must be one that is written in the probe's own source.
"""

import argparse
import ast
import asyncio
import json
import random
import re
import sys
import time
import zlib
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

import recall_pipeline.api_probe
from recall_pipeline.api_probe import MOST_REQUESTS, ProbeReport, report_lines, run_probe
from recall_pipeline.recall_api import RecallClient, vocabulary
from recall_pipeline.settings import Settings
from recall_pipeline_tests.chaos.fuzz_api import many
from recall_pipeline_tests.chaos.payloads import KINDS, Workspace

WORD, NUMBER = "zqcanaryqz", 739184625
_API = "http://127.0.0.1:1/api/v1"
_STATUSES = (200, 200, 200, 200, 200, 200, 200, 206, 302, 400, 401, 403, 404, 416, 429, 500, 503)
_LINKS = (
    f"http://127.0.0.1:1/{WORD}/{WORD}%3A{NUMBER}.mp3?Expires={NUMBER}&{WORD}={WORD}",
    f"http://{WORD}.invalid/{WORD}.{WORD}?X-Amz-Date=20260302T090000Z&X-Amz-Expires={NUMBER}",
    f"http://127.0.0.1:1/{WORD}?Signature={WORD}",
    f"https://{WORD}@127.0.0.1:1/%{WORD}",
    f"{WORD}://127.0.0.1/{WORD}",
)
_NAMES = (
    f"{WORD}_1", f"{WORD}_2", f"api_key={WORD}", f"https://{WORD}/?token={WORD}", f"\ud800{WORD}", f"\x00{WORD}",
    f"{WORD}.id",
    f"id {WORD}", f"{WORD}\n{WORD}", f"{WORD * 500}", f"{WORD}[]", f"meeting_password {WORD}", f"\u202e{WORD}",
)  # fmt: skip
_VALUES = (
    WORD, NUMBER, f"Bearer {WORD}", [f"https://{WORD}@host/{WORD}?Signature={WORD}"], {f"password {WORD}": WORD},
    float(NUMBER),
    f"2026-03-02T09:00:00Z{WORD}", f"\udfff{WORD}",
)  # fmt: skip
_NEXT = (
    None, WORD, f"{_API}/bot/?cursor={WORD}", f"{_API}/bot/?page={NUMBER}&{WORD}=1",
    f"https://{WORD}.recall.ai/api/v1/",
    f"/api/v1/recording/?{WORD}", f"{_API}/\ud800{WORD}", f"http://{WORD}\r\n{WORD}/", f"{_API}/../../{WORD}?cursor=",
    NUMBER, [WORD], {WORD: WORD}, f"{_API}/bot/?cursor={WORD}&cursor=\x00", "http://[" + WORD,
)  # fmt: skip
_HEADERS = (
    ("content-type", f"application/{WORD}"), ("content-type", f"audio/mpeg; {WORD}={WORD}"), ("date", WORD),
    ("date", f"Mon, 02 Mar 2026 09:00:00 {WORD}"), ("date", "Mon, 02 Mar 0001 00:00:00 GMT"), ("etag", WORD),
    ("etag", f'"{WORD}"'), ("content-range", f"bytes 0-0/{NUMBER}"), ("content-range", WORD), ("location", WORD),
    ("location", f"http://{WORD}/"), ("location", "http://["), (f"x-{WORD}", WORD), ("retry-after", WORD),
    ("server", WORD),
)  # fmt: skip


class HostileService:
    """An API and a media host in one, which answer from a damaged workspace with canaries everywhere."""

    def __init__(self, workspace: Workspace, seed: int) -> None:
        self._workspace = workspace
        self._random = random.Random(seed)  # noqa: S311 -- not for secrets

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        assert request.method == "GET"
        is_api = str(request.url).startswith(_API)
        assert is_api or "key-of-nobody" not in str(request.headers.raw), "the media host got the key"
        chosen = self._random
        status = chosen.choice(_STATUSES) if chosen.random() < 0.1 else 200
        headers = [("content-type", "application/json"), *chosen.sample(_HEADERS, chosen.randint(0, 3))]
        body = self._body(request) if is_api else f"<Error><Code>{WORD}</Code></Error>".encode()
        return httpx.Response(status, headers=headers, content=body)

    def _body(self, request: httpx.Request) -> bytes:
        kind, _, its_id = request.url.path.removeprefix("/api/v1/").strip("/").partition("/")
        rows = self._workspace.rows.get(kind if kind in KINDS else "bot", [])
        body: Any = {"count": NUMBER, "next": self._random.choice(_NEXT), "results": [self._marked(r) for r in rows]}
        if its_id:
            found = next((row for row in rows if isinstance(row, dict) and row.get("id") == its_id), {WORD: WORD})
            body = self._marked(found)
        if self._workspace.reshaped:
            body = self._marked(self._workspace.reshaped(body if isinstance(body, dict) else {}))
        text = json.dumps(body).encode()
        return self._workspace.torn(text) if self._workspace.torn else text

    def _marked(self, value: Any, name: str = "") -> Any:
        """Return a copy of a JSON value with canaries; ids, times and codes keep their form now and then."""
        chosen = self._random
        match value:
            case dict():
                marked = {key: self._marked(item, str(key)) for key, item in value.items()}
                extra = {chosen.choice(_NAMES): chosen.choice(_VALUES)} if chosen.random() < 0.5 else {}
                return {**marked, **extra}
            case list():
                return [self._marked(item, name) for item in value]
            case str() | None if name == "download_url" and chosen.random() < 0.7:
                return chosen.choice(_LINKS)
            case str() if name in ("id", "code", "format") or name.endswith("_at"):
                return value if chosen.random() < 0.85 else f"{WORD}{value}"
            case str():
                return f"{WORD}{value}" if chosen.random() < 0.8 else chosen.choice(_LINKS)
            case bool() | None:
                return value
            case _:
                return NUMBER


@dataclass
class _Counting:
    """A request budget without a limit, which counts."""

    taken: int = 0

    async def take(self, _endpoint: str, _per_minute: int) -> None:
        """Grant the request."""
        self.taken += 1


def probed(workspace: Workspace) -> ProbeReport:
    """Probe a hostile service; raise AssertionError if the report could leak something."""
    report = asyncio.run(_probe(HostileService(workspace, zlib.crc32(repr(workspace.rows).encode("utf-8", "replace")))))
    check_report(report)
    return report


async def _probe(service: HostileService) -> ProbeReport:
    settings = Settings(api_key=SecretStr("key-of-nobody"), api_url=_API)
    transport = httpx.MockTransport(service.answer)
    async with (
        httpx.AsyncClient(transport=transport, headers={"Authorization": "Token key-of-nobody"}) as http,
        httpx.AsyncClient(transport=transport) as media,
    ):
        budget = _Counting()
        report = await run_probe(RecallClient(http, settings, budget), media, settings)
    assert budget.taken <= report.requests <= MOST_REQUESTS
    return report


def check_report(report: ProbeReport) -> None:
    """Raise AssertionError unless every word of the report is one of the probe's own source."""
    found = report.as_json()
    text = json.dumps(found) + "\n".join(report_lines(report))
    for secret in (WORD, str(NUMBER), "key-of-nobody"):
        assert secret not in text.lower(), f"the report contains {secret}"
    foreign = {word for word in _words(found) - _own_words() if not _parts(word) <= _own_words()}
    assert foreign == set(), f"the report contains foreign words: {foreign}"


def _parts(word: str) -> set[str]:
    """Return the parts of a composed word, such as `bot.recordings[]` or `list bot`."""
    return set(re.split(r"[.\[\] ]+", word)) - {""}


def _words(value: Any) -> set[str]:
    """Return all strings of a JSON value, keys included."""
    if isinstance(value, dict):
        return set(value) | set().union(*map(_words, value.values()))
    if isinstance(value, list):
        return set().union(*map(_words, value))
    return {value} if isinstance(value, str) else set()


@cache
def _own_words() -> frozenset[str]:
    """Return the string constants of the probe and its vocabulary, whole and split at spaces, and names of fields."""
    words: set[str] = set()
    for path in (*Path(recall_pipeline.api_probe.__file__).parent.glob("*.py"), Path(vocabulary.__file__)):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words |= {node.value, *node.value.split()}
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                words.add(node.target.id)
    return frozenset(words)


def main() -> int:
    """Run the examples and count what the reports name; hypothesis prints the smallest example that fails."""
    parser = argparse.ArgumentParser(prog="python -m recall_pipeline_tests.chaos.canaries", description=__doc__)
    parser.add_argument("--examples", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    seen: Counter[str] = Counter()
    started = time.monotonic()
    many(options.examples, lambda workspace: seen.update(["", *probed(workspace).dialect]), options.seed)()
    for name, count in seen.most_common()[1:]:
        print(f"{count:6}  {name}")
    print(f"{seen['']} examples, no canary, {(time.monotonic() - started) / 60:.1f} minutes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
