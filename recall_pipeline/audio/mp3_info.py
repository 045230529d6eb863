"""The Info frame at the head of an MP3: how many samples it holds, and which are padding.

LAME as a library leaves it to its caller. Without it every decoder adds the encoder's delay and
padding (about 0.1 s), and no one can tell a cut file from a whole one.
"""

from recall_pipeline.audio.headers import parse_frame_header

_ENCODER_DELAY = 576
_FRAMES_AND_BYTES = 3
_CONSTANT_BITRATE = 1


def info_frame(first_frame: bytes, audio_bytes: int, samples: int) -> bytes:
    """An Info frame in the format of `first_frame`, for so many bytes and samples of audio."""
    header = parse_frame_header(first_frame[:4])
    if header is None:
        raise ValueError("an MP3 starts with a frame header")
    padding = _padding(samples, header.samples)
    frames = (_ENCODER_DELAY + samples + padding) // header.samples
    total_bytes = audio_bytes + header.size_bytes
    frame = (
        first_frame[:4]
        + bytes(header.tag_offset - 4)
        + b"Info"
        + _FRAMES_AND_BYTES.to_bytes(4, "big")
        + frames.to_bytes(4, "big")
        + total_bytes.to_bytes(4, "big")
        + _lame_extension(padding, total_bytes)
    )
    frame += _crc16(frame).to_bytes(2, "big")
    return frame + bytes(header.size_bytes - len(frame))


def _padding(samples: int, frame_samples: int) -> int:
    """What LAME adds when it is flushed: to a whole frame, and 576 at least for the decoder."""
    padding = frame_samples - (samples + _ENCODER_DELAY) % frame_samples
    return padding if padding >= 576 else padding + frame_samples


def _lame_extension(padding: int, music_bytes: int) -> bytes:
    """All but the last two bytes (the CRC) of the 36 that LAME puts behind a Xing tag."""
    return (
        b"LAME3.100"
        + bytes([_CONSTANT_BITRATE])
        + bytes(11)
        + (_ENCODER_DELAY << 12 | padding).to_bytes(3, "big")
        + bytes(4)
        + music_bytes.to_bytes(4, "big")
        + bytes(2)
    )


def _crc16(data: bytes) -> int:
    """CRC-16 (polynomial 0x8005, reflected) as LAME computes it."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc
