"""Containers other than MP3: whole ones are audio, and half of one is truncated or has a finding."""

from pathlib import Path

import numpy as np
import pytest

from recall_pipeline.audio import decode_whole
from recall_pipeline.audio.untagged_file import UntaggedFile
from recall_pipeline.errors import NotAudio
from recall_pipeline_tests.audio import wild_bytes as wild
from recall_pipeline_tests.audio.wild_containers import (
    COMPRESSED,
    LATE,
    SECONDS,
    SILENT,
    STATING,
    STATING_SAMPLES,
    Kind,
    zeros_inside,
)


def written(folder: Path, body: bytes) -> Path:
    (folder / "a.mp3").write_bytes(body)
    return folder / "a.mp3"


def codes(path: Path) -> set[str]:
    return {str(finding.code) for finding in decode_whole(path).findings}


@pytest.mark.parametrize("kind", STATING, ids=str)
def test_half_of_a_container_that_states_its_length_is_truncated(kind: Kind, tmp_path: Path) -> None:
    body = kind.body()
    whole = decode_whole(written(tmp_path, body))
    assert whole.duration_seconds == pytest.approx(SECONDS, abs=0.08)
    assert whole.header_seconds == pytest.approx(SECONDS, abs=0.08)
    assert not whole.findings
    half = decode_whole(written(tmp_path, wild.half(body)))
    assert half.is_truncated
    assert "damaged_frames" not in {str(finding.code) for finding in half.findings}


@pytest.mark.parametrize("kind", SILENT, ids=str)
def test_half_of_a_container_that_states_no_length_has_a_finding(kind: Kind, tmp_path: Path) -> None:
    body = kind.body()
    whole = decode_whole(written(tmp_path, body))
    assert whole.duration_seconds == pytest.approx(SECONDS, abs=0.08)
    assert (whole.header_seconds, whole.findings) == (None, ())
    assert codes(written(tmp_path, body[: int(len(body) * 0.53)])) == {"cut_at_end"}


@pytest.mark.parametrize("kind", LATE, ids=str)
def test_half_of_a_container_that_is_described_at_its_end_is_not_audio(kind: Kind, tmp_path: Path) -> None:
    body = kind.body()
    assert not decode_whole(written(tmp_path, body)).findings
    with pytest.raises(NotAudio):
        decode_whole(written(tmp_path, wild.half(body)))


@pytest.mark.parametrize("kind", STATING_SAMPLES)
def test_half_of_a_file_that_states_its_samples_is_reported_with_the_stated_length(kind: str, tmp_path: Path) -> None:
    half = decode_whole(written(tmp_path, wild.half(STATING_SAMPLES[kind]())))
    assert half.is_truncated
    assert half.header_seconds == pytest.approx(SECONDS, abs=0.05)


@pytest.mark.parametrize("kind", COMPRESSED, ids=str)
def test_zeros_inside_a_container_are_a_finding(kind: Kind, tmp_path: Path) -> None:
    body = kind.body()
    try:
        assert codes(written(tmp_path, zeros_inside(body)))
    except NotAudio:
        assert kind.codec == "wavpack"


@pytest.mark.parametrize("kind", ["mpegts", "adts", "flv", "ogg"])
def test_missing_bytes_inside_a_container_are_a_finding(kind: str, tmp_path: Path) -> None:
    body = Kind(kind, "libopus" if kind == "ogg" else "aac").body()
    third = len(body) // 3
    assert codes(written(tmp_path, body[:third] + body[third + third // 2 :]))


@pytest.mark.parametrize("head", [b"", b"\x0b\x77", b"RIFF\xff\xff\0\0AVI LIST", b"wvpk", b"TTA1", b"\0\0\x01\xba"])
def test_rubbish_behind_the_start_of_a_container_is_not_audio(head: bytes, tmp_path: Path) -> None:
    for seed in range(3):
        with pytest.raises(NotAudio):
            decode_whole(written(tmp_path, head + wild.random_bytes(20_000, seed)))


def test_a_tag_before_a_container_does_not_change_the_length_that_it_states(tmp_path: Path) -> None:
    body = Kind("wav", "pcm_s16le").body()
    assert decode_whole(written(tmp_path, wild.id3(bytes(3000)) + wild.half(body))).is_truncated


def test_a_position_that_is_not_in_a_file_is_an_error_number_and_no_exception(tmp_path: Path) -> None:
    file = UntaggedFile(written(tmp_path, bytes(100)))
    assert (file.seek(-5) < 0, file.seek(1 << 63) < 0, file.read_at(-5, 10), file.seek(50)) == (True, True, b"", 50)
    file.close()


def test_packets_that_are_missing_in_a_transport_stream_are_a_splice(tmp_path: Path) -> None:
    body = Kind("mpegts", "aac").body()
    packets = np.frombuffer(body, np.uint8).reshape(-1, 188)
    cut_out = np.concatenate([packets[: len(packets) // 3], packets[len(packets) // 2 :]])
    assert "spliced_audio" in codes(written(tmp_path, cut_out.tobytes()))


def test_a_stream_that_appears_within_a_damaged_transport_stream_is_ignored(tmp_path: Path) -> None:
    body = Kind("mpegts", "aac").body()
    for seed in range(3):
        result = decode_whole(written(tmp_path, wild.flipped(body, 100, seed)))
        assert "damaged_frames" in {str(finding.code) for finding in result.findings}


def test_pages_that_are_missing_before_the_first_one_of_an_ogg_are_a_splice(tmp_path: Path) -> None:
    body = Kind("ogg", "libopus").body()
    headers_end, last = body.find(b"OggS", body.find(b"OpusTags")), body.rfind(b"OggS")
    assert "spliced_audio" in codes(written(tmp_path, body[:headers_end] + body[last:]))
