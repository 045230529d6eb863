"""The file `archive.json`: the format of an archive, and whose recordings it has (docs/design/interface.md, section 3).

Whatever opens an archive refuses a newer format. Whatever talks to Recall.ai also refuses the archive of another API
host or workspace. The first sync that gets an answer writes the file; a reader never does.
"""

import errno
import json
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from recall_pipeline.days import utc_now
from recall_pipeline.errors import ArchiveRefused, ArchiveUnreadable, StorageError
from recall_pipeline.settings import Settings, is_loopback

if TYPE_CHECKING:
    from recall_pipeline.storage.archive import Archive

FORMAT = 1
_KEY, _README_KEY = "archive.json", "README.txt"
_ALIASES = {"api.recall.ai": "us-east-1.recall.ai"}
_README = """\
This folder is an archive of meeting recordings from Recall.ai, made by recall_pipeline.

No software of its own is needed to use it. Days are UTC.

audio_catalog/day=YYYY-MM-DD/audio_catalog.parquet   one row per recording: what became of it, and where its audio is
normalized_audio/day=YYYY-MM-DD/...                  the audio at one loudness and sample rate
mixed_audio/day=YYYY-MM-DD/...                       the MP3 files exactly as Recall.ai served them, and their table
waveforms/                                           tables with the peaks of the normalized audio, to draw it
bots/, recordings/                                   tables of the bots and recordings
transcripts/                                         tables of transcripts, if there are any
fixity/                                              when each file was last read back
audit/                                               records of what was erased on purpose: never roll these back
_events/, _spool/                                    working files
archive.json                                         format of the archive, and the API host of its workspace

The tables are Parquet files: pandas, DuckDB, Polars and Spark read a folder such as audio_catalog/ as one table.
The files contain voices and names of people. Treat them as personal data.
"""


@dataclass(frozen=True, slots=True)
class ArchiveIdentity:
    """The content of `archive.json`. `api`: name of the API host. `workspace`: None, since Recall names none.

    `others`: keys that this version does not know.
    """

    format: int
    created_at: str | None
    created_by: str | None
    api: str | None
    workspace: str | None
    others: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """Return the content of the file."""
        known = {name: value for name, value in asdict(self).items() if name != "others"}
        return (json.dumps({**known, **self.others}, indent=2) + "\n").encode()


def read_identity(archive: "Archive") -> ArchiveIdentity | None:
    """Return the content of `archive.json`; None if there is none.

    Raises ArchiveRefused for a newer format, ArchiveUnreadable for a damaged file, and StorageError.
    """
    try:
        content = archive.read(_KEY)
    except StorageError:
        if archive.is_local and not _may_be_file(archive.local_path(_KEY)):
            raise _damaged(archive, "it is not a file") from None
        raise
    if content is None:
        return None
    try:
        stored = json.loads(content)
        is_format = isinstance(stored, dict) and type(stored.get("format")) is int and stored["format"] >= 1
    except (ValueError, RecursionError):
        is_format = False
    if not is_format:
        raise _damaged(archive, "it is not a JSON object with a `format`")
    if stored["format"] > FORMAT:
        raise ArchiveRefused(
            f"{archive.uri(_KEY)} has format {stored['format']}, and this version of recall_pipeline reads formats up "
            f"to {FORMAT}: update recall_pipeline"
        )
    texts = {name: stored.pop(name, None) for name in ("created_at", "created_by", "api", "workspace")}
    if wrong := [name for name, text in texts.items() if not isinstance(text, str | None)]:
        raise _damaged(archive, f"`{wrong[0]}` is not a text")
    return ArchiveIdentity(stored.pop("format"), **texts, others=stored)


def _may_be_file(path: Path) -> bool:
    """Whether a path is a file, or cannot be looked at; False for a folder or a link that leads in a circle."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError as error:
        return error.errno != errno.ELOOP


def check_identity(archive: "Archive", settings: Settings) -> ArchiveIdentity | None:
    """Return the identity of the archive after a comparison with the API of `settings`; None if it has none yet.

    Raises ArchiveRefused if the archive is of another API host. Reads only.
    """
    identity, host = read_identity(archive), api_host(settings)
    if identity is not None and identity.api is not None and _canonical(identity.api) != _canonical(host):
        raise ArchiveRefused(
            f"the archive {archive.location.root} has recordings of {identity.api}, but the settings name {host}: "
            "correct RECALL_REGION or RECALL_API_URL, or choose another RECALL_STORAGE_URL; if the workspace is the "
            f"same, run recall-pipeline migrate --accept-api {host}"
        )
    return identity


def record_identity(archive: "Archive", settings: Settings) -> None:
    """Write `archive.json` and `README.txt` where they are missing, then compare as `check_identity` does."""
    identity = check_identity(archive, settings)
    if identity is None:
        create_identity(archive, api_host(settings))
        check_identity(archive, settings)  # another host may have been first
    elif identity.api is None:
        accept_api(archive, api_host(settings))


def create_identity(archive: "Archive", host: str | None) -> bool:
    """Write `archive.json` and `README.txt` unless they exist; return whether this call wrote the former.

    `host`: the API host, or None where only the next sync can find it out.
    """
    archive.create(_README.encode(), _README_KEY)
    return archive.create(_new_identity(host).to_json(), _KEY)


def accept_api(archive: "Archive", host: str) -> ArchiveIdentity:
    """Make `host` the API host of the archive, whatever it was, and return the identity."""
    accepted = replace(read_identity(archive) or _new_identity(host), api=host)
    with archive.staged_file(suffix=".json") as staged:
        staged.write_bytes(accepted.to_json())
        archive.publish(staged, _KEY)
    archive.create(_README.encode(), _README_KEY)
    return accepted


def _new_identity(host: str | None) -> ArchiveIdentity:
    created_at = utc_now().isoformat(timespec="seconds").replace("+00:00", "Z")
    return ArchiveIdentity(FORMAT, created_at, f"recall_pipeline {version('recall_pipeline')}", host, None)


def api_host(settings: Settings) -> str:
    """Return the name of the API's host, without its port."""
    return host_in(settings.base_url) or ""


def host_in(text: str) -> str | None:
    """Return the host in a URL or in `host:port`, in lower case; None if there is none."""
    try:
        host = urlsplit(text if "//" in text else f"//{text}").hostname
    except ValueError:
        return None
    return host.rstrip(".") if host else None


def _canonical(host: str) -> str:
    """Return one name for all names of the same API: its aliases, and every address of this machine."""
    name = host_in(host) or host
    return "loopback" if is_loopback(name) else _ALIASES.get(name, name)


def _damaged(archive: "Archive", reason: str) -> ArchiveUnreadable:
    return ArchiveUnreadable(
        f"{archive.uri(_KEY)} is damaged ({reason}): restore it from a backup, or remove it and run "
        "recall-pipeline sync with the key of this archive's workspace"
    )
