"""Received bytes are taken for what they are, whatever they do to the decoder."""

import asyncio
import hashlib
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from recall_pipeline.audio import Proof, prove
from recall_pipeline.capture.proof import Evidence, Prover
from recall_pipeline.errors import TransferError
from recall_pipeline.sandbox.content import ErrorPage, Truncated, body_of
from recall_pipeline_tests.workspace import talk


def killed_by_poison(path: Path) -> Proof:
    """Stand in for a decoder that the system kills over one file."""
    if "poison" in path.name:
        os.kill(os.getpid(), signal.SIGKILL)
    return prove(path)


def killed_once(path: Path) -> Proof:
    """Stand in for a decoder that the system kills over a file the first time."""
    flag = path.with_suffix(".killed")
    if not flag.exists():
        flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return prove(path)


def out_of_memory(path: Path) -> Proof:
    """Stand in for a decoder that gives up in its own way."""
    raise MemoryError(path)


def examine(*paths: Path, processes: int = 1) -> list[Evidence | BaseException]:
    """Examine the files at the same time, with one prover."""

    async def all_of(paths: Sequence[Path]) -> list[Evidence | BaseException]:
        async with Prover(processes) as prover:
            return await asyncio.gather(*map(prover.examine, paths), return_exceptions=True)

    return asyncio.run(all_of(paths))


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str, bytes], Path]:
    def write(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


def test_a_file_is_judged_by_its_sound(file: Callable[[str, bytes], Path]) -> None:
    good, page, cut = (body_of(content) for content in (talk(), ErrorPage(), Truncated(talk())))
    whole, web_page, half, empty = examine(
        file("good", good), file("page", page), file("cut", cut), file("empty", b""), processes=2
    )
    assert isinstance(whole, Evidence)
    assert (whole.fault, whole.size_bytes, whole.sha256) == (None, len(good), hashlib.sha256(good).hexdigest())
    assert whole.proof
    assert whole.proof.codec == "mp3"
    assert isinstance(web_page, Evidence)
    assert web_page.fault is not None
    assert "no decodable audio: it looks like an HTML page" in web_page.fault
    assert isinstance(half, Evidence)
    assert half.fault is not None
    assert "cut short: decodes to 3." in half.fault
    assert isinstance(empty, Evidence)
    assert empty.fault is not None
    assert "it is empty" in empty.fault


def test_a_decoder_killed_once_is_given_a_second_chance(
    file: Callable[[str, bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recall_pipeline.audio.inspecting.prove", killed_once)
    [evidence] = examine(file("talk", body_of(talk())))
    assert isinstance(evidence, Evidence)
    assert evidence.fault is None


def test_a_file_that_kills_its_decoder_is_reported_and_harms_no_other(
    file: Callable[[str, bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recall_pipeline.audio.inspecting.prove", killed_by_poison)
    good = body_of(talk())
    paths = [file(name, good) for name in ("poison 1", "one", "poison 2", "two")]
    poison, one, poison_too, two = examine(*paths, processes=2)
    for failure in (poison, poison_too):
        assert isinstance(failure, TransferError)
        assert "the process that decodes it was killed" in str(failure)
    for evidence in (one, two):
        assert isinstance(evidence, Evidence)
        assert evidence.fault is None


def test_whatever_a_decoder_raises_is_a_failure_of_that_file(
    file: Callable[[str, bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recall_pipeline.audio.inspecting.prove", out_of_memory)
    [failure] = examine(file("talk", b"any"))
    assert isinstance(failure, TransferError)
    assert "decoding it ended with MemoryError" in str(failure)


def test_a_file_that_vanished_is_a_failure_of_that_file(tmp_path: Path) -> None:
    [failure] = examine(tmp_path / "vanished")
    assert isinstance(failure, TransferError)
    assert "cannot read" in str(failure)
