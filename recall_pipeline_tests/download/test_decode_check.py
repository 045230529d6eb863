"""Received bytes are taken for what they are, whatever they do to the decoder."""

import asyncio
import dataclasses
import functools
import hashlib
import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from recall_pipeline.audio import DecodeResult, Normalized, Target, decode_whole, normalize
from recall_pipeline.download.decode_check import DecodeCheck, DecodeChecker
from recall_pipeline.errors import TransferError
from recall_pipeline_tests.open_files import no_more_files
from recall_pipeline_tests.workspace import talk
from recall_sandbox.content import Content, ErrorPage, Truncated, body_of


def killed_by_poison(path: Path) -> DecodeResult:
    """Stand in for a decoder that the system kills over one file."""
    if "poison" in path.name:
        os.kill(os.getpid(), signal.SIGKILL)
    return decode_whole(path)


def killed_once(path: Path) -> DecodeResult:
    """Stand in for a decoder that the system kills over a file the first time."""
    flag = path.with_suffix(".killed")
    if not flag.exists():
        flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return decode_whole(path)


def out_of_memory(path: Path) -> DecodeResult:
    """Stand in for a decoder that gives up in its own way."""
    raise MemoryError(path)


def check_file(*paths: Path, processes: int = 1) -> list[DecodeCheck | BaseException]:
    """Examine the files at the same time, with one prover."""

    async def all_of(paths: Sequence[Path]) -> list[DecodeCheck | BaseException]:
        async with DecodeChecker(processes) as checker:
            return await asyncio.gather(*map(checker.check_file, paths), return_exceptions=True)

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
    whole, web_page, half, empty = check_file(
        file("good", good), file("page", page), file("cut", cut), file("empty", b""), processes=2
    )
    assert isinstance(whole, DecodeCheck)
    assert (whole.fault, whole.size_bytes, whole.sha256) == (None, len(good), hashlib.sha256(good).hexdigest())
    assert whole.decoded
    assert whole.decoded.codec == "mp3"
    assert isinstance(web_page, DecodeCheck)
    assert web_page.fault is not None
    assert "no decodable audio: it looks like an HTML page" in web_page.fault
    assert isinstance(half, DecodeCheck)
    assert half.fault is not None
    assert "cut short: decodes to 3." in half.fault
    assert isinstance(empty, DecodeCheck)
    assert empty.fault is not None
    assert "it is empty" in empty.fault


def test_a_decoder_killed_once_is_given_a_second_chance(
    file: Callable[[str, bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recall_pipeline.audio.inspection.decode_whole", killed_once)
    [check] = check_file(file("talk", body_of(talk())))
    assert isinstance(check, DecodeCheck)
    assert check.fault is None


def test_a_file_that_kills_its_decoder_is_reported_and_harms_no_other(
    file: Callable[[str, bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recall_pipeline.audio.inspection.decode_whole", killed_by_poison)
    good = body_of(talk())
    paths = [file(name, good) for name in ("poison 1", "one", "poison 2", "two")]
    poison, one, poison_too, two = check_file(*paths, processes=2)
    for failure in (poison, poison_too):
        assert isinstance(failure, TransferError)
        assert "the process that decodes it was killed" in str(failure)
    for check in (one, two):
        assert isinstance(check, DecodeCheck)
        assert check.fault is None


def hangs_on_poison(path: Path) -> DecodeResult:
    """Stand in for a decoder that never ends."""
    while "poison" in path.name:
        time.sleep(60)
    return decode_whole(path)


def test_a_decoder_that_hangs_is_ended_and_harms_no_other(
    file: Callable[[str, bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recall_pipeline.audio.inspection.decode_whole", hangs_on_poison)
    monkeypatch.setattr("recall_pipeline.audio.worker._BASE_SECONDS", 0)
    good = body_of(talk())
    poison, one = check_file(file("poison", good[:16_000]), file("one", good + bytes(16_000 * 300)), processes=1)
    assert isinstance(poison, TransferError)
    assert str(poison) == "decoding it took longer than 1 s: its process was ended"
    assert isinstance(one, DecodeCheck)
    assert one.decoded


def test_no_more_processes_decode_than_are_allowed(
    file: Callable[[str, bytes], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recall_pipeline.audio.inspection.decode_whole", notes_its_process)
    assert all(isinstance(each, DecodeCheck) for each in check_file(*[file(f"{n}", body_of(talk())) for n in range(5)]))
    assert len(list(tmp_path.glob("*.process"))) == 1


def notes_its_process(path: Path) -> DecodeResult:
    """Decode, and leave a file that is named after the process."""
    path.with_name(f"{os.getpid()}.process").touch()
    return decode_whole(path)


def test_whatever_a_decoder_raises_is_a_failure_of_that_file(
    file: Callable[[str, bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recall_pipeline.audio.inspection.decode_whole", out_of_memory)
    [failure] = check_file(file("talk", b"any"))
    assert isinstance(failure, TransferError)
    assert "decoding it ended with MemoryError" in str(failure)


def test_a_file_that_vanished_is_a_failure_of_that_file(tmp_path: Path) -> None:
    [failure] = check_file(tmp_path / "vanished")
    assert isinstance(failure, TransferError)
    assert "cannot read" in str(failure)


def killed_when_normalizing(path: Path) -> Normalized:
    """Stand in for a normalization that the system kills."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError(path)


def test_a_normalization_takes_the_place_of_the_decode_and_its_failure_does_not_count(
    file: Callable[[str, bytes], Path], tmp_path: Path
) -> None:
    contents: tuple[Content, ...] = (talk(), Truncated(talk()), ErrorPage())
    good, cut, page = (file(f"{number}.part", body_of(content)) for number, content in enumerate(contents))

    async def checked() -> list[DecodeCheck]:
        async with DecodeChecker(1) as checker:
            normalizing = functools.partial(normalize, destination=tmp_path / "file.flac", target=Target())
            once = [await checker.check_file(path, normalizing) for path in (good, cut, page)]
            return [*once, await checker.check_file(good, killed_when_normalizing), await checker.check_file(good)]

    whole, half, none, after_a_kill, only_decoded = asyncio.run(checked())
    assert whole.normalized
    assert whole.normalized.audio_samples == 96_000
    assert dataclasses.replace(whole, normalized=None) == after_a_kill == only_decoded
    assert ("cut short" in (half.fault or ""), "no decodable audio" in (none.fault or "")) == (True, True)


def test_a_low_limit_of_open_files_is_named(file: Callable[[str, bytes], Path]) -> None:
    async def check() -> None:
        async with DecodeChecker(1) as checker:
            checking = checker.check_file(file("talk.mp3", body_of(talk())))
            await asyncio.to_thread(int)  # so that the thread that hashes has started
            with no_more_files():
                await checking

    with pytest.raises(TransferError, match="ulimit -n"):
        asyncio.run(check())
