"""Parts of wild files: MP3s with and without a length header, tags, junk, and damage to them."""

import io
import struct
from functools import cache
from itertools import pairwise

import av
import numpy as np

from recall_pipeline.audio.mpeg_header import FrameHeader, parse_frame_header
from recall_pipeline_tests.audio.sounds import Sound, mp3_bytes, speech
from recall_sandbox.speech import Speech

SECONDS = 8.0
FRAME_SECONDS = 0.036  # of 576 samples at 16 kHz


@cache
def meeting(seconds: float = SECONDS, kbps: int | None = 48, header: bool = True) -> bytes:
    """Return an intact MP3."""
    return Speech(seconds=seconds, bitrate_kbps=kbps, has_length_header=header).body()


def bare(seconds: float = SECONDS) -> bytes:
    """Return an intact MP3 without a length header or tags."""
    body = meeting(seconds)
    return body[frame_starts(body)[1] :]


def frame_starts(body: bytes) -> list[int]:
    """Return where each frame of an intact MP3 starts, the length frame included."""
    at = next(at for at in range(len(body)) if header_at(body, at) and header_at(body, at + size_at(body, at)))
    starts = []
    while header_at(body, at):
        starts.append(at)
        at += size_at(body, at)
    return starts


def header_at(body: bytes, at: int) -> FrameHeader | None:
    """Return the frame header at a position."""
    return parse_frame_header(body[at : at + 4])


def size_at(body: bytes, at: int) -> int:
    """Return the size of the frame at a position; 0 if there is none."""
    header = header_at(body, at)
    return header.size_bytes if header else 0


def half(body: bytes) -> bytes:
    """Return the first half of the bytes."""
    return body[: len(body) // 2]


def overwritten(body: bytes, at: float, filler: bytes) -> bytes:
    """Return the bytes with `filler` in place of as many, from a share of the length on."""
    start = int(len(body) * at)
    return body[:start] + filler + body[start + len(filler) :]


def random_bytes(size: int, seed: int = 1) -> bytes:
    """Return random bytes."""
    return np.random.default_rng(seed).bytes(size)


def flipped(body: bytes, count: int, seed: int = 5) -> bytes:
    """Return the bytes with single bits flipped after the first frames."""
    data = np.frombuffer(body, np.uint8).copy()
    rng = np.random.default_rng(seed)
    data[rng.integers(1000, data.size, count)] ^= (1 << rng.integers(0, 8, count)).astype(np.uint8)
    return data.tobytes()


def id3(content: bytes, stated_bytes: int | None = None) -> bytes:
    """Return an ID3v2 tag."""
    size = len(content) if stated_bytes is None else stated_bytes
    return b"ID3\x04\x00\x00" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + content


def id3_with_footer(content: bytes) -> bytes:
    """Return an ID3v2.4 tag with a footer, as it is put at the end of a file."""
    header = b"ID3\x04\x00\x10" + id3(content)[6:10]
    return header + content + b"3DI" + header[3:]


def id3v1() -> bytes:
    """Return an ID3v1 tag."""
    return b"TAG" + b"a title".ljust(125, b" ")


def lyrics3() -> bytes:
    """Return a Lyrics3 v2 tag with something like a frame header in it."""
    content = b"LYRICSBEGININD0000200LYR00060" + b"[00:01]\xff\xf3\x68\xc4words that are sung\r\n" * 2
    return content + b"%06dLYRICS200" % len(content)


def ape(content: bytes) -> bytes:
    """Return an APEv2 tag with header and footer."""
    fields = struct.pack("<III", 2000, len(content) + 32, 1)
    header, footer = (b"APETAGEX" + fields + struct.pack("<I", flags) + bytes(8) for flags in (0xA0000000, 0x80000000))
    return header + content + footer


def png(size: int) -> bytes:
    """Return something like a PNG picture."""
    return b"\x89PNG\r\n\x1a\n" + random_bytes(size, 7)


def jpeg(size: int) -> bytes:
    """Return something like a JPEG picture."""
    return b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + random_bytes(size, 8).replace(b"\xff", b"\xff\x00")


def in_container(name: str, codec: str, sound: Sound | None = None, rate_hz: int = 48000) -> bytes:
    """Return a sound in any container that libav writes."""
    out = io.BytesIO()
    with av.open(out, "w", format=name) as container:
        stream = container.add_stream(codec, rate=rate_hz, layout="mono")
        assert isinstance(stream, av.AudioStream)
        mono = (speech(["risk", "answer"], rate_hz) if sound is None else sound).astype(np.float32).T
        size = stream.codec_context.frame_size or 960
        for start, end in pairwise([*range(0, mono.shape[1], size), mono.shape[1]]):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(mono[:, start:end]), "fltp", "mono")
            frame.sample_rate, frame.pts = rate_hz, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


def mp3_copy(body: bytes) -> bytes:
    """Return the frames of an MP3 in a new file, as `ffmpeg -c copy` writes it: an Info frame without a delay."""
    out = io.BytesIO()
    with av.open(io.BytesIO(body), "r") as source, av.open(out, "w", format="mp3") as copy:
        stream = copy.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                copy.mux(packet)
    return out.getvalue()


def with_stated_frames(body: bytes, change: int) -> bytes:
    """Return an MP3 whose Info frame states `change` frames more than it has."""
    at = next(at for at in (body.find(b"Info"), body.find(b"Xing")) if at >= 0) + 8
    frames = int.from_bytes(body[at : at + 4], "big") + change
    return body[:at] + frames.to_bytes(4, "big") + body[at + 4 :]


def stereo_mp3(left: Sound, right: Sound, rate_hz: int = 16000) -> bytes:
    """Return a stereo MP3 of two channels."""
    return mp3_bytes(np.concatenate([left, right], axis=1), rate_hz, 128)
