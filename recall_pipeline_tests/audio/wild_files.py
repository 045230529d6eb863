"""Kinds of files as found in the wild, by name: what they are, and what has to become of them.

Each kind was once judged wrongly: a whole file called corrupt, half a file called whole, or a loss
that nothing stated.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from recall_pipeline_tests.audio import wild_bytes as wild
from recall_pipeline_tests.audio.sounds import mp3_bytes, speech

LONG_SECONDS = 30.0


@dataclass(frozen=True)
class WildFile:
    """A kind of file. `seconds` is its length with silence for what is lost, `codes` are its finding codes."""

    make: Callable[[], bytes]
    seconds: float
    codes: frozenset[str] = frozenset()


def after(head: bytes) -> WildFile:
    """Return a whole MP3 without a length header that begins in mid-frame, and with `head`."""
    return whole(lambda: head + wild.bare()[100:], 8.06)


def copied(seconds: float) -> WildFile:
    """Return a short MP3 whose Info frame states no delay."""
    return whole(lambda: wild.mp3_copy(wild.meeting(seconds)), seconds)


def overstated(seconds: float, frames: int) -> WildFile:
    """Return a short MP3 that states some frames more than it has."""
    return whole(lambda: wild.with_stated_frames(wild.meeting(seconds), frames), seconds)


def half_of(name: str, codec: str) -> Callable[[], bytes]:
    """Return how to make half of a container."""
    return lambda: wild.half(wild.in_container(name, codec))


def whole(make: Callable[[], bytes], seconds: float = wild.SECONDS, *codes: str) -> WildFile:
    """Return a kind that is audio as it stands, with these findings."""
    return WildFile(make, seconds, frozenset(codes))


def long(header: bool = True) -> bytes:
    """Return half a minute, of which 2% are more than half a second."""
    return wild.meeting(LONG_SECONDS) if header else wild.bare(LONG_SECONDS)


def frames_of(body: bytes) -> list[bytes]:
    """Return the frames of an MP3."""
    return [body[at : at + wild.size_at(body, at)] for at in wild.frame_starts(body)]


def length_frame() -> bytes:
    """Return the Info frame of `wild.meeting()`."""
    return frames_of(wild.meeting())[0]


def half_before(tag: bytes) -> Callable[[], bytes]:
    """Return how to make half an MP3 without a length header, and a tag behind it."""
    return lambda: wild.half(wild.bare()) + tag


def layer_two_before(tag: bytes) -> Callable[[], bytes]:
    """Return how to make an MPEG layer II file with a tag behind it."""
    return lambda: wild.in_container("mp2", "mp2") + tag


def without_frames(body: bytes, first: int, last: int) -> bytes:
    """Return an MP3 without some of its frames, cut out at their boundaries."""
    frames = frames_of(body)
    return b"".join(frames[:first] + frames[last:])


def repeated_quarter(frames: list[bytes]) -> bytes:
    """Return frames with their third quarter twice."""
    return b"".join(frames[: len(frames) * 3 // 4] + frames[len(frames) // 2 :])


def looped() -> bytes:
    """Return the same frames three times."""
    return wild.bare(3.0) * 3


def damaged_after_info(body: bytes) -> bytes:
    """Return an MP3 whose first frame after the Info frame has no header."""
    at = wild.frame_starts(body)[1]
    return body[:at] + b"\x00\x13" + body[at + 2 :]


def free_format(body: bytes) -> bytes:
    """Return an MP3 whose frames do not state their size."""
    return b"".join(frame[:2] + bytes([frame[2] & 0x0F]) + frame[3:] for frame in frames_of(body))


def joined(*parts: bytes) -> bytes:
    """Return several files in one."""
    return b"".join(parts)


def opposite(share: float, rate_hz: int = 16000) -> bytes:
    """Return a stereo MP3 whose channels are in opposite phase from a share of its length on."""
    left = speech(["greeting", "answer", "risk"], rate_hz)
    right = left.copy()
    right[int(share * len(left)) :] *= -1
    return wild.stereo_mp3(left, right, rate_hz)


def with_offset(offset: float, gain_db: float) -> bytes:
    """Return an MP3 of speech with a constant offset."""
    return mp3_bytes(speech(["greeting", "answer"], gain_db=gain_db) + offset)


HEADS = {
    "an open brace": b"{",
    "a bracket": b"[",
    "a less-than sign": b"<",
    "a JPEG's start": b"\xff\xd8\xff\xe0",
    "gzip's start": b"\x1f\x8b",
    "a ZIP's start": b"PK\x03\x04",
    "a FLAC's start": b"fLaC",
    "an MP4's start": b"....ftyp",
    "a line of text": b"please try again later\n" * 20,
}
TAILS = {
    "an ID3v1 tag": wild.id3v1(),
    "an APE tag": wild.ape(wild.png(5000)),
    "a Lyrics3 and an ID3v1 tag": wild.lyrics3() + wild.id3v1(),
    "an ID3v2 tag with a footer": wild.id3_with_footer(wild.png(5000)),
    "an APE and an ID3v1 tag": wild.ape(wild.png(5000)) + wild.id3v1(),
}
SHORT_SECONDS = (0.2, 0.7, 1.5)

WHOLE: dict[str, WildFile] = {
    "with a length header": whole(wild.meeting),
    "VBR": whole(lambda: wild.meeting(kbps=None)),
    "without a length header": whole(wild.bare, 8.1),
    **{f"after {name}": after(head) for name, head in HEADS.items()},
    "after 16 KB of zeros": whole(lambda: bytes(16_000) + wild.bare(), 8.1, "zero_runs"),
    "after 200 KB of zeros": whole(lambda: bytes(200_000) + wild.bare(), 8.1, "zero_runs"),
    "after 200 KB of zeros, with a header": whole(lambda: bytes(200_000) + wild.meeting()),
    "junk before the Info frame": whole(lambda: b"junk" * 333 + wild.meeting()),
    "two ID3 tags, the second with a picture": whole(
        lambda: wild.id3(bytes(3000)) + wild.id3(wild.jpeg(90_000)) + wild.meeting()
    ),
    "zeros after a tag": whole(lambda: wild.id3(bytes(100)) + bytes(100_000) + wild.meeting()),
    "a tag that claims no size": whole(lambda: wild.id3(wild.jpeg(80_000), 0) + wild.meeting()),
    "a tag that claims too much": whole(lambda: wild.id3(bytes(1000), 5000) + wild.meeting()),
    "a tag that claims more than the file": whole(lambda: wild.id3(bytes(1000), 90_000_000) + wild.meeting()),
    "a tag of a megabyte": whole(lambda: wild.id3(wild.random_bytes(1 << 20)) + wild.meeting()),
    "an APE tag before it": whole(lambda: wild.ape(wild.png(50_000)) + wild.meeting()),
    "a large APE tag behind a second": whole(lambda: wild.meeting(1.0) + wild.ape(wild.png(340_000)), 1.0),
    "a large ID3 tag behind a second": whole(lambda: wild.meeting(1.0) + wild.id3(wild.png(340_000)), 1.0),
    "a picture behind a second": whole(lambda: wild.meeting(1.0) + wild.png(340_000), 1.0),
    "a picture behind a second, without a header": whole(lambda: wild.bare(1.0) + wild.png(340_000), 1.08),
    **{f"copied, {s} s": copied(s) for s in SHORT_SECONDS},
    **{f"an Info frame that counts itself, {s} s": overstated(s, 1) for s in SHORT_SECONDS},
    **{f"three frames less than stated, {s} s": overstated(s, 3) for s in SHORT_SECONDS},
    "two recordings": whole(lambda: joined(wild.meeting(), wild.meeting(3.0)), 11.0),
    "two equal recordings": whole(lambda: joined(wild.meeting(), wild.meeting()), 16.0),
    "a tag between two recordings": whole(
        lambda: joined(wild.meeting(), wild.id3v1(), wild.id3(bytes(500)), wild.meeting(3.0)), 11.0
    ),
    "the frame after the Info frame damaged": whole(
        lambda: damaged_after_info(wild.meeting()), wild.SECONDS, "damaged_frames"
    ),
    "a second of a minute cut off": whole(
        lambda: long()[: int(len(long()) * 0.985)], LONG_SECONDS - 0.45, "shorter_than_promised"
    ),
    "frames cut out": whole(lambda: without_frames(long(), 300, 310), LONG_SECONDS - 0.36, "shorter_than_promised"),
    "a run of zeros": whole(
        lambda: wild.overwritten(long(), 0.3, bytes(2500)),
        LONG_SECONDS,
        "shorter_than_promised",
        "damaged_frames",
        "zero_runs",
    ),
    "a run of zeros, without a header": whole(
        lambda: wild.overwritten(long(header=False), 0.3, bytes(2500)), 30.1, "damaged_frames", "zero_runs"
    ),
    "a run of junk": whole(
        lambda: wild.overwritten(long(), 0.5, wild.random_bytes(2500)),
        LONG_SECONDS,
        "shorter_than_promised",
        "damaged_frames",
    ),
    "a hole of 1,000 bytes": whole(
        lambda: wild.overwritten(long(), 0.5, bytes(1000)), LONG_SECONDS, "shorter_than_promised", "damaged_frames",
        "zero_runs",
    ),
    "a quarter twice": whole(
        lambda: long()[: len(long()) * 3 // 4] + long()[len(long()) // 2 :],
        LONG_SECONDS * 5 / 4,
        "longer_than_promised",
        "damaged_frames",
    ),
    "started over": whole(
        lambda: long()[: len(long()) // 3 + 50] + long(),
        LONG_SECONDS * 4 / 3,
        "longer_than_promised",
        "damaged_frames",
        "repeated_audio",
    ),
    "a quarter twice, without a header": whole(
        lambda: repeated_quarter(frames_of(long(header=False))), 37.6, "repeated_audio"
    ),
    "frames cut out, without a header": whole(
        lambda: without_frames(long(header=False), 450, 570), LONG_SECONDS + 0.1 - 4.32, "spliced_audio"
    ),
    "a loop that repeats itself, without a header": whole(looped, 3 * 3.1),
    "half, without a header": whole(lambda: wild.half(wild.bare()), 4.0, "cut_at_end"),
    "zeros in the second half, without a header": whole(
        lambda: wild.half(wild.bare()) + bytes(len(wild.bare()) // 2), 4.0, "zero_runs"
    ),
    "WebM": whole(lambda: wild.in_container("webm", "libopus"), 10.5),
    "MP4": whole(lambda: wild.in_container("mp4", "aac"), 10.5),
    "Ogg": whole(lambda: wild.in_container("ogg", "libopus"), 10.5),
    "two equal length frames": whole(lambda: length_frame() + wild.meeting()),
    "two different length frames": whole(lambda: wild.with_stated_frames(length_frame(), 1) + wild.meeting()),
    **{
        f"half, without a header, and {name} behind it": whole(half_before(tag), 4.0, "cut_at_end")
        for name, tag in TAILS.items()
    },
    **{f"MPEG layer II and {name} behind it": whole(layer_two_before(tag), 10.5) for name, tag in TAILS.items()},
    "half an Ogg": whole(lambda: wild.half(wild.in_container("ogg", "libopus")), 4.0, "cut_at_end"),
    "MPEG layer II": whole(lambda: wild.in_container("mp2", "mp2"), 10.5),
}  # fmt: skip


def _cut(make: Callable[[], bytes]) -> Callable[[], bytes]:
    return lambda: wild.half(make())


CUT: dict[str, Callable[[], bytes]] = {
    "half": _cut(wild.meeting),
    "half, VBR": _cut(lambda: wild.meeting(kbps=None)),
    "half, the frame after the Info frame damaged": _cut(lambda: damaged_after_info(wild.meeting())),
    "half, two ID3 tags": lambda: wild.id3(bytes(3000)) + wild.id3(wild.jpeg(90_000)) + wild.half(wild.meeting()),
    "half, zeros after the tag": lambda: wild.id3(bytes(100)) + bytes(100_000) + wild.half(wild.meeting()),
    "half, a tag that claims no size": lambda: wild.id3(wild.jpeg(80_000), 0) + wild.half(wild.meeting()),
    "half, after junk": lambda: b"{" * 5000 + wild.half(wild.meeting()),
    "the second half is zeros": lambda: wild.half(wild.meeting()) + bytes(len(wild.meeting()) // 2),
    "a third is zeros": lambda: wild.overwritten(wild.meeting(), 0.3, bytes(len(wild.meeting()) // 3)),
    "four frames less than stated": lambda: wild.with_stated_frames(wild.meeting(1.0), 4),
    "two recordings, the last one cut": lambda: joined(wild.meeting(), wild.half(wild.meeting(9.0))),
    "two equal recordings, the last one cut": lambda: joined(wild.meeting(), wild.half(wild.meeting())),
    **{
        f"half a {name} of {codec}": half_of(name, codec)
        for name, codec in (
            ("webm", "libopus"), ("matroska", "aac"), ("flac", "flac"), ("wav", "pcm_s16le"), ("w64", "pcm_s16le"),
            ("caf", "pcm_s16le"), ("aiff", "pcm_s16be"), ("au", "pcm_s16be"),
        )
    },
}  # fmt: skip

NOT_AUDIO: dict[str, tuple[Callable[[], bytes], str]] = {
    "free format": (lambda: free_format(wild.bare(2.0)), "a free-format MP3"),
    "free format after a tag": (lambda: wild.id3(bytes(50)) + free_format(wild.bare(2.0)), "a free-format MP3"),
    "a codec without a decoder": (lambda: unknown_codec(), "wav"),
    "half an MP4": (_cut(lambda: wild.in_container("mp4", "aac")), "mp4"),
    "random bytes": (lambda: wild.random_bytes(1 << 20), "unknown bytes"),
    "a picture": (lambda: wild.jpeg(300_000), "a JPEG picture"),
    "frame headers without frames": (lambda: b"\xff\xfb\x90\x64" * 20_000, "mp3"),
    "four frames in a lot of junk": (lambda: joined(*_frames_in_junk()), "mp3"),
}


def _frames_in_junk() -> Iterable[bytes]:
    for at, frame in enumerate(frames_of(wild.bare(1.0))[:4]):
        yield frame + wild.random_bytes(50_000, at)


def unknown_codec() -> bytes:
    """Return a WAV whose codec no library knows."""
    body = wild.in_container("wav", "pcm_s16le")
    at = body.find(b"fmt ") + 8
    return body[:at] + b"\x77\x77" + body[at + 2 :]


LEVELED: dict[str, WildFile] = {
    "a hole of 1,000 bytes": WHOLE["a hole of 1,000 bytes"],
    "a run of junk": WHOLE["a run of junk"],
    "100 flipped bits": WildFile(lambda: wild.flipped(long(), 100, 5), LONG_SECONDS),
    "flipped bits in AAC": WildFile(lambda: wild.flipped(wild.in_container("adts", "aac"), 100, 0), 0),
    "flipped bits in AC-3": WildFile(lambda: wild.flipped(wild.in_container("ac3", "ac3"), 30, 0), 0),
    "opposite phase from the middle on": WildFile(lambda: opposite(0.5), 0, frozenset({"channels_cancel"})),
    "opposite phase at the end": WildFile(lambda: opposite(0.9), 0, frozenset({"channels_cancel"})),
    "opposite phase throughout": WildFile(lambda: opposite(0.0), 0, frozenset({"channels_cancel"})),
    "an offset under quiet speech": WildFile(lambda: with_offset(0.1, -40), 0, frozenset({"dc_offset"})),
    "a small offset under quiet speech": WildFile(lambda: with_offset(-0.005, -40), 0, frozenset({"dc_offset"})),
}
