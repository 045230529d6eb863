"""The Info frame at the start of an MP3: its number of samples, encoder delay and padding.

LAME as a library leaves writing it to the caller. Without it, decoders output the encoder's delay and
padding too (about 0.1 s), and a truncated file cannot be recognized.
"""

from recall_pipeline.audio.mpeg_header import parse_frame_header

_ENCODER_DELAY_SAMPLES = 576
_FRAMES_AND_BYTES_FLAGS = 3
_CONSTANT_BITRATE = 1


def info_frame(first_frame: bytes, audio_bytes: int, samples: int) -> bytes:
    """Return the Info frame for an MP3 of `audio_bytes` and `samples` per channel, in the format of `first_frame`.

    Raises ValueError if `first_frame` does not start with a frame header.
    """
    header = parse_frame_header(first_frame[:4])
    if header is None:
        raise ValueError("not an MP3 frame: it does not start with a frame header")
    padding = _padding(samples, header.samples_per_frame)
    frames = (_ENCODER_DELAY_SAMPLES + samples + padding) // header.samples_per_frame
    total_bytes = audio_bytes + header.size_bytes
    frame = (
        first_frame[:4]
        + bytes(header.tag_offset_bytes - 4)
        + b"Info"
        + _FRAMES_AND_BYTES_FLAGS.to_bytes(4, "big")
        + frames.to_bytes(4, "big")
        + total_bytes.to_bytes(4, "big")
        + _lame_extension(padding, total_bytes)
    )
    frame += _crc16(frame).to_bytes(2, "big")
    return frame + bytes(header.size_bytes - len(frame))


def _padding(samples: int, samples_per_frame: int) -> int:
    """Return the samples that LAME adds when flushed: at least 576, up to a whole frame."""
    padding = samples_per_frame - (samples + _ENCODER_DELAY_SAMPLES) % samples_per_frame
    return padding if padding >= 576 else padding + samples_per_frame


def _lame_extension(padding_samples: int, music_bytes: int) -> bytes:
    """Return LAME's 36-byte extension of a Xing tag, without the CRC in its last two bytes."""
    return (
        b"LAME3.100"
        + bytes([_CONSTANT_BITRATE])
        + bytes(11)
        + (_ENCODER_DELAY_SAMPLES << 12 | padding_samples).to_bytes(3, "big")
        + bytes(4)
        + music_bytes.to_bytes(4, "big")
        + bytes(2)
    )


def _crc16(data: bytes) -> int:
    """Return the CRC-16 (polynomial 0x8005, reflected) as LAME computes it."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc
