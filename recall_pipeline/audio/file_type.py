"""The type of a file by its first bytes, worded for an error message."""

import re
import zipfile
from pathlib import Path

from recall_pipeline.audio.mpeg_header import HEADER_BYTES, parse_frame_header
from recall_pipeline.audio.tags import leading_tags_bytes

_HEAD_BYTES = 4096
_TS_PACKET_BYTES = 188
_MAGIC = (
    (b"ID3", "mp3"),
    (b"RIFF", "wav"),
    (b"RF64", "wav"),
    (b"riff\x2e\x91\xcf\x11", "wav"),
    (b"fLaC", "flac"),
    (b"OggS", "ogg"),
    (b"\x1aE\xdf\xa3", "matroska"),
    (b"FORM", "aiff"),
    (b"caff", "caf"),
    (b".snd", "au"),
    (b"FLV\x01", "flv"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (b"\x00\x00\x01\xba", "mpeg"),
    (b"wvpk", "wavpack"),
    (b"TTA1", "tta"),
    (b"#!AMR", "amr"),
    (b"\x0b\x77", "ac3"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "gzip"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
)
_CONTAINERS = frozenset(name for _, name in _MAGIC[1:15]) | {"avi", "mp4", "mpegts"}
_FREE_FORMAT = re.compile(rb"(\xff[\xe2\xe3\xf2\xf3\xfa\xfb][\x00-\x0b]).{93,1500}?\1.{93,1500}?\1", re.DOTALL)


def magic(path: Path) -> str:
    """Return the file type by its first bytes. Raises OSError if the file cannot be read."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        file.seek(leading_tags_bytes(path))
        if _FREE_FORMAT.match(file.read(_HEAD_BYTES)):
            return "a free-format MP3"
    if not head:
        return "empty"
    if head.startswith(b"RIFF") and head[8:11] == b"AVI":
        return "avi"
    if head[: 3 * _TS_PACKET_BYTES : _TS_PACKET_BYTES] == b"GGG":
        return "mpegts"
    for start, name in _MAGIC:
        if head.startswith(start):
            return name
    if head[4:8] == b"ftyp":
        return "mp4"
    if parse_frame_header(head[:HEADER_BYTES]) is not None:
        return "mp3"
    return _text_type(head)


def is_container(name: str) -> bool:
    """Whether a result of `magic` is a container that libav reads, so that no MPEG frames are searched in it."""
    return name in _CONTAINERS


def is_archive(path: Path, name: str) -> bool:
    """Whether the file is a complete ZIP archive. One of an MP3 would decode to audio and noise."""
    return name == "a ZIP archive" and zipfile.is_zipfile(path)


def _text_type(head: bytes) -> str:
    if not head.strip(b"\0"):
        return "zero bytes"
    text = head.decode("utf-8-sig", errors="ignore").strip().lower()
    if text.startswith(("<!doctype html", "<html")):
        return "an HTML page"
    if text.startswith("<"):
        return "XML"
    if text.startswith(("{", "[")):
        return "JSON"
    is_text = len(text) > len(head) // 2 and all(char.isprintable() or char in "\t\r\n" for char in text)
    return "text" if is_text else "unknown bytes"
