"""A sandbox in a separate process, so that only the product is measured."""

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from uuid import UUID

from pydantic import SecretStr

from recall_pipeline.days import start_of, utc_now
from recall_pipeline.settings import Settings
from recall_sandbox import Rule, Sandbox, World
from recall_sandbox.content import Content
from recall_sandbox.records import Artifact, SandboxBot, SandboxRecording, SandboxStatusChange

DAY: date = utc_now().date() - timedelta(days=2)
PAGE_SIZE = 100


@contextmanager
def serving(contents: Sequence[Content], folder: str, rules: Sequence[Rule] = ()) -> Iterator[Settings]:
    """Serve a recording of `DAY` for each content; return settings for it and `folder`, without rate limits."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    server = context.Process(target=_serve, args=(there, contents, rules))
    server.start()
    api_url, api_key = here.recv()
    ours = {
        "RECALL_API_URL": api_url,
        "RECALL_API_KEY": api_key,
        "RECALL_STORAGE_URL": f"{folder}/data",
        "RECALL_LIST_RPM": "1000000",
        "RECALL_OBJECT_RPM": "1000000",
        "DAGSTER_HOME": f"{folder}/home",
    }
    home = Path(ours["DAGSTER_HOME"])
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield Settings(api_key=SecretStr(api_key))
    finally:
        os.environ.update({name: value for name, value in before.items() if value is not None})
        for name in (name for name, value in before.items() if value is None):
            del os.environ[name]
        here.send("enough")
        server.join()


def _serve(parent: Connection, contents: Sequence[Content], rules: Sequence[Rule]) -> None:
    world = World()
    for number, content in enumerate(contents):
        world.add(*_meeting(number, len(contents), content))
    sandbox = Sandbox(world, page_size=PAGE_SIZE, list_per_minute=None, object_per_minute=None)
    for rule in rules:
        sandbox.faults.add(rule)
    with sandbox.running():
        parent.send((sandbox.api_url, sandbox.api_key))
        parent.recv()


def _meeting(number: int, of: int, content: Content) -> Iterator[SandboxBot | SandboxRecording | Artifact]:
    """Yield a finished meeting, spread with the others over the day."""
    bot_id, recording_id, audio_id = (str(UUID(int=(kind << 64) + number + 1)) for kind in (1, 2, 3))
    start: datetime = start_of(DAY) + timedelta(hours=20) * (number / of)
    end = start + timedelta(minutes=5)
    history = (SandboxStatusChange("joining_call", start), SandboxStatusChange("done", end))
    yield SandboxBot(
        bot_id, "Archive Bot", "zoom", {"meeting_id": str(number), "platform": "zoom"}, None, start, history
    )
    yield SandboxRecording(recording_id, bot_id, start, start, end, end, shortcut_id=audio_id)
    yield Artifact(audio_id, recording_id, start, end, content)
