"""The duration that an MP3 header states, and the Info frame of our own MP3s."""

from pathlib import Path

import numpy as np
import pytest

from recall_pipeline.audio import Target, decode_whole
from recall_pipeline.audio.encoder import open_encoder
from recall_pipeline.audio.mp3_parts import mp3_parts
from recall_pipeline.audio.mpeg_header import HEADER_START, parse_frame_header
from recall_pipeline.audio.tags import id3_size_bytes
from recall_pipeline.audio_formats import SAMPLE_RATES_HZ
from recall_pipeline_tests.audio.sounds import noise, write_mp3
from recall_sandbox.speech import Speech


def encoded_mp3(path: Path, rate_hz: int, channels: int, samples: int) -> Path:
    encoder = open_encoder(path, Target(format="mp3", sample_rate_hz=rate_hz, channels=channels))
    encoder.write(np.random.default_rng(samples).integers(-3000, 3000, (samples, channels), np.int16))
    encoder.close()
    return path


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
@pytest.mark.parametrize("channels", [1, 2])
def test_an_encoded_mp3_decodes_to_exactly_its_samples(rate_hz: int, channels: int, tmp_path: Path) -> None:
    for samples in (575, 576, 577, 1152, 12345, 52 * 576 - 529):
        result = decode_whole(encoded_mp3(tmp_path / "a.mp3", rate_hz, channels, samples))
        assert round(result.duration_seconds * rate_hz) == samples
        assert result.header_seconds == pytest.approx(samples / rate_hz)


def test_half_of_an_encoded_mp3_is_truncated(tmp_path: Path) -> None:
    whole = encoded_mp3(tmp_path / "a.mp3", 16000, 1, 80000)
    (tmp_path / "half.mp3").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert decode_whole(tmp_path / "half.mp3").is_truncated


def test_an_mp3_without_a_header_states_no_duration(tmp_path: Path) -> None:
    assert mp3_parts(write_mp3(tmp_path / "a.mp3", noise(1))).header_seconds is None


@pytest.mark.parametrize("bitrate_kbps", [48, None])
def test_the_duration_in_a_header_of_libav_is_exact(bitrate_kbps: int | None, tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(Speech(seconds=3, bitrate_kbps=bitrate_kbps, title="x").body())
    result = decode_whole(tmp_path / "a.mp3")
    assert result.header_seconds == pytest.approx(result.duration_seconds, abs=1e-4)


def test_the_duration_in_a_vbri_frame_is_read(tmp_path: Path) -> None:
    frame = bytearray(bytes.fromhex("fffb90c4") + bytes(413))
    frame[36:40] = b"VBRI"
    frame[36 + 14 : 36 + 18] = (1000).to_bytes(4, "big")
    (tmp_path / "a.mp3").write_bytes(bytes(frame) + bytes.fromhex("fffb90c4") + bytes(413))
    assert mp3_parts(tmp_path / "a.mp3").header_seconds == pytest.approx(1000 * 1152 / 44100)


def test_the_first_frame_is_followed_by_another_frame(tmp_path: Path) -> None:
    body = write_mp3(tmp_path / "b.mp3", noise(1)).read_bytes()
    (tmp_path / "a.mp3").write_bytes(b"\xff\xfb\x90\x64 looks like one" + body)
    assert mp3_parts(tmp_path / "a.mp3").frame_bytes == len(body)


def test_the_search_for_frame_headers_finds_exactly_those_that_parse() -> None:
    starts = [bytes([0xFF, second, third]) for second in range(256) for third in range(256)]
    parsed = [start for start in starts if parse_frame_header(start + b"\0") is not None]
    assert [start for start in starts if HEADER_START.match(start)] == parsed


@pytest.mark.parametrize(
    "four", [b"", b"\xff\xfb", b"\xff\xfb\xf0\x00", b"\xff\xfb\x9c\x00", b"\xff\xfd\x90\x00", b"RIFF"]
)
def test_bytes_that_are_not_a_layer_three_header_give_none(four: bytes) -> None:
    assert parse_frame_header(four) is None


@pytest.mark.parametrize(
    ("four", "rate_hz", "channels", "size_bytes", "samples"),
    [("fffb90c4", 44100, 1, 417, 1152), ("fff368c4", 16000, 1, 216, 576), ("ffe36840", 8000, 2, 432, 576)],
)
def test_a_frame_header_states_rate_channels_and_size(
    four: str, rate_hz: int, channels: int, size_bytes: int, samples: int
) -> None:
    header = parse_frame_header(bytes.fromhex(four))
    assert header is not None
    assert (header.sample_rate_hz, header.channels, header.size_bytes) == (rate_hz, channels, size_bytes)
    assert header.samples_per_frame == samples


def test_the_size_of_an_id3_tag_has_seven_bits_per_byte() -> None:
    assert id3_size_bytes(b"ID3\x04\x00\x00\x00\x00\x02\x01") == 2 * 128 + 1 + 10
    assert id3_size_bytes(b"RIFF") == 0
