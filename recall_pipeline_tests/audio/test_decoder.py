"""Any bytes give a typed outcome: a result that reports damage, or NotAudio with a reason."""

import json
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest

from recall_pipeline.audio import DecodeResult, Inspection, Target, decode_whole, inspect, normalize
from recall_pipeline.audio.bursts import CLIP_LEVEL
from recall_pipeline.audio.decoder import Decoder
from recall_pipeline.errors import NotAudio
from recall_pipeline_tests.audio.sounds import mp3_bytes, noise, speech, tone, write_wav
from recall_sandbox.speech import Speech

SECONDS = 6.0


def meeting(**changes: object) -> bytes:
    """Return an intact MP3 with a header."""
    return Speech(seconds=SECONDS, **changes).body()  # type: ignore[arg-type]


def bit_rot(body: bytes) -> bytes:
    rotten = np.frombuffer(body, np.uint8).copy()
    rng = np.random.default_rng(3)
    rotten[rng.integers(1000, rotten.size, rotten.size // 200)] ^= 0x55
    return rotten.tobytes()


def hole(body: bytes) -> bytes:
    third = len(body) // 3
    return body[:third] + bytes(third) + body[2 * third :]


def id3(size: int, content: bytes = b"\xff") -> bytes:
    length = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x04\x00\x00" + length + (content * size)[:size]


def id3_with_broken_text(body: bytes) -> bytes:
    frame = b"TIT2" + struct.pack(">I", 5) + b"\x00\x00" + b"\x03\xff\xfe\xfd\xfc"
    return b"ID3\x03\x00\x00\x00\x00\x00" + bytes([len(frame)]) + frame + body


def in_container(name: str, codec: str) -> bytes:
    out = BytesIO()
    with av.open(out, "w", format=name) as container:
        stream = container.add_stream(codec, rate=48000, layout="mono")
        assert isinstance(stream, av.AudioStream)
        sound = speech(["risk"], 48000).astype(np.float32).T
        for start in range(0, sound.shape[1], 960):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound[:, start : start + 960]), "fltp", "mono")
            frame.sample_rate, frame.pts = 48000, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


def wav(tmp_path: Path) -> bytes:
    return write_wav(tmp_path / "made.wav", speech(["risk"]), 16000, "PCM_16").read_bytes()


def png() -> bytes:
    return b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20


def zipped() -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("meeting.mp3", meeting())
    return out.getvalue()


NOT_AUDIO: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "no decodable audio: it is empty"),
    "one byte": (lambda: b"\xff", "unknown bytes"),
    "an HTML page": (lambda: b"<!DOCTYPE html><html><body>Access denied</body></html>" * 50, "an HTML page"),
    "an XML error": (lambda: b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "XML"),
    "a JSON error": (lambda: json.dumps({"detail": "Not found."}).encode(), "JSON"),
    "text": (lambda: b"please try again later\n" * 100, "text"),
    "zeros": (lambda: bytes(100_000), "zero bytes"),
    "random bytes": (lambda: np.random.default_rng(1).bytes(300_000), "unknown bytes"),
    "a picture": (png, "a PNG picture"),
    "a ZIP of an MP3": (zipped, "a ZIP archive"),
    "a PDF": (lambda: b"%PDF-1.7\n" + bytes(range(256)) * 30, "a PDF"),
    "only an ID3 tag": (lambda: id3(2000), "mp3"),
    "an ID3 tag longer than the file": (lambda: id3(2000)[:700], "mp3"),
    "only a frame header": (lambda: b"\xff\xfb\x90\x64", "mp3"),
    "a WAV without data": (lambda: b"RIFF\x24\x00\x00\x00WAVEfmt ", "wav"),
    "a FLAC header only": (lambda: b"fLaC\x00\x00\x00\x22" + bytes(34), "flac"),
    "a playlist": (lambda: b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:10,\nmeeting.mp3\n#EXT-X-ENDLIST\n", "text"),
    "a concat script": (lambda: b"ffconcat version 1.0\nfile meeting.mp3\n", "text"),
}


@pytest.mark.parametrize("kind", NOT_AUDIO)
def test_a_file_without_audio_is_rejected_with_its_apparent_type(kind: str, tmp_path: Path) -> None:
    make, appearance = NOT_AUDIO[kind]
    (tmp_path / "meeting.mp3").write_bytes(meeting())  # a playlist must not reach it
    source = tmp_path / "a.mp3"
    source.write_bytes(make())
    for function in (decode_whole, inspect):
        with pytest.raises(NotAudio, match=appearance):
            function(source)


@dataclass(frozen=True)
class Expected:
    """The expected result for a damaged or unusual file."""

    seconds: float
    truncated: bool = False
    bad: bool = False
    changes: int = 0


AUDIO: dict[str, tuple[Callable[[], bytes], Expected]] = {
    "an intact file": (meeting, Expected(SECONDS)),
    "VBR with its header": (lambda: meeting(bitrate_kbps=None), Expected(SECONDS)),
    "VBR without a header": (lambda: meeting(bitrate_kbps=None, has_length_header=False), Expected(SECONDS)),
    "stereo at 44.1 kHz": (lambda: meeting(channels=2, rate_hz=44100, bitrate_kbps=128), Expected(SECONDS)),
    "its first half": (lambda: meeting()[: len(meeting()) // 2], Expected(SECONDS / 2, truncated=True)),
    "its last hundredth missing": (lambda: meeting()[: len(meeting()) * 99 // 100], Expected(SECONDS)),
    "its first half, without a header": (
        lambda: meeting(has_length_header=False)[: len(meeting()) // 2],
        Expected(SECONDS / 2),
    ),
    "a hole of zeros": (lambda: hole(meeting()), Expected(SECONDS, truncated=True, bad=True)),
    "bit rot": (lambda: bit_rot(meeting()), Expected(SECONDS, truncated=True, bad=True)),
    "an ID3 tag full of sync bytes": (lambda: id3(5000) + meeting(), Expected(SECONDS)),
    "an ID3 tag with invalid text": (lambda: id3_with_broken_text(meeting()), Expected(SECONDS)),
    "an ID3 tag in the middle": (lambda: meeting() + id3(3000, b"x") + meeting(), Expected(2 * SECONDS)),
    "junk before and after": (lambda: b"junk" * 300 + meeting() + b"TAG" + b" " * 125, Expected(SECONDS)),
    "a change of sample rate": (
        lambda: mp3_bytes(noise(3), 16000) + mp3_bytes(noise(3, 24000), 24000),
        Expected(6.2, changes=1),
    ),
    "a change of channels": (
        lambda: mp3_bytes(noise(3), 16000) + mp3_bytes(np.repeat(noise(3), 2, axis=1), 16000),
        Expected(6.2, changes=1),
    ),
    "an M4A with a wrong extension": (lambda: in_container("mp4", "aac"), Expected(6.5)),
    "an Ogg with a wrong extension": (lambda: in_container("ogg", "libopus"), Expected(6.5)),
    "a Matroska with a wrong extension": (lambda: in_container("matroska", "aac"), Expected(6.5)),
    "three frames": (lambda: mp3_bytes(noise(0.01))[:700], Expected(0.08)),
}


@pytest.mark.parametrize("kind", AUDIO)
def test_a_damaged_or_unusual_file_keeps_its_length_and_its_damage_is_counted(kind: str, tmp_path: Path) -> None:
    make, expected = AUDIO[kind]
    source = tmp_path / "a.mp3"
    source.write_bytes(make())
    result = decode_whole(source)
    assert result.duration_seconds == pytest.approx(expected.seconds, abs=0.15)
    assert result.is_truncated is expected.truncated
    assert (result.bad_packets > 0) is expected.bad
    assert result.format_changes == expected.changes


@pytest.mark.parametrize("kind", AUDIO)
def test_inspect_gives_the_same_counts_and_plausible_measurements(kind: str, tmp_path: Path) -> None:
    source = tmp_path / "a.mp3"
    source.write_bytes(AUDIO[kind][0]())
    found = inspect(source)
    assert DecodeResult(**{name: getattr(found, name) for name in DecodeResult.__slots__}) == decode_whole(source)
    assert found.loudness_lufs is None or -70 <= found.loudness_lufs < 10
    assert found.true_peak_dbtp is None or found.true_peak_dbtp < 15
    assert 0 <= found.speech_ratio <= 1
    assert len(found.waveform) == 60


@pytest.mark.parametrize("kind", AUDIO)
def test_damaged_files_are_normalized_to_the_target(kind: str, tmp_path: Path) -> None:
    source = tmp_path / "a.mp3"
    source.write_bytes(AUDIO[kind][0]())
    result = normalize(source, tmp_path / "out.flac", Target())
    assert result.audio_samples == pytest.approx(result.duration_seconds * 16000, abs=3)
    assert result.audio_true_peak_dbtp is not None
    assert result.audio_true_peak_dbtp <= -1.5
    assert result.findings or result.audio_lufs == pytest.approx(-16, abs=0.3)


def test_a_wav_with_a_wrong_extension_is_recognized(tmp_path: Path) -> None:
    source = tmp_path / "a.mp3"
    source.write_bytes(wav(tmp_path))
    result = decode_whole(source)
    assert (result.magic, result.codec, result.sample_rate_hz, result.channels) == ("wav", "pcm_s16le", 16000, 1)
    assert result.header_seconds == pytest.approx(result.duration_seconds)


def test_half_a_wav_is_truncated(tmp_path: Path) -> None:
    body = wav(tmp_path)
    source = tmp_path / "a.wav"
    source.write_bytes(body[: len(body) // 2])
    assert decode_whole(source).is_truncated


def test_nan_becomes_zero_and_values_far_above_full_scale_are_clipped(tmp_path: Path) -> None:
    sound = tone(-20, 1, 16000, channels=1)
    sound[[100, 200, 300, 400]] = [[np.nan], [np.inf], [-np.inf], [4000.0]]
    blocks = list(Decoder(write_wav(tmp_path / "a.wav", sound, 16000)).blocks())
    samples = np.concatenate([block.samples for block in blocks])
    np.testing.assert_array_equal(samples[[100, 200, 300, 400], 0], [0, CLIP_LEVEL, -CLIP_LEVEL, CLIP_LEVEL])


def test_inspect_reports_the_format_of_an_intact_file(tmp_path: Path) -> None:
    source = tmp_path / "a.mp3"
    source.write_bytes(meeting(channels=2, rate_hz=44100, bitrate_kbps=128))
    found = inspect(source)
    assert isinstance(found, Inspection)
    assert (found.magic, found.codec, found.sample_rate_hz, found.channels) == ("mp3", "mp3", 44100, 2)
    assert found.bitrate_bps == pytest.approx(128_000, rel=0.02)
    assert found.header_seconds == pytest.approx(SECONDS, abs=0.01)
    assert found.bad_packets == 0


def test_a_missing_file_raises_file_not_found_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        decode_whole(tmp_path / "none.mp3")


def test_an_implausible_sample_rate_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(NotAudio):
        decode_whole(write_wav(tmp_path / "a.wav", noise(1), 1))
