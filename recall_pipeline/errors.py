"""All errors that this project raises on purpose.

    PipelineError                     what, where, what to do; never a secret
    ├── SettingsError                 a setting is missing or wrong: fix it, then start again
    │   └── ArchiveRefused            the archive has a newer format, or is of another API or workspace
    ├── UsageError                    the arguments of a command or run are not valid
    ├── RecallError                   a request to the Recall.ai API failed
    │   ├── RecallUnreachable         no response: network, DNS, time-out, or only 5xx       (retry helps)
    │   ├── RecallThrottled           429 for longer than the deadline                       (retry helps)
    │   ├── RecallUnauthorized        401: bad key, or a key of another region
    │   ├── RecallRefused             400, 402, 403, 405, 409: the request itself is refused
    │   ├── RecallNotFound            404: deleted, or never existed
    │   └── RecallProtocolError       a response that does not follow the API's contract
    ├── RecordingsVanished            many known recordings are gone at once, unexplained: nothing is changed
    ├── TransferError                 an MP3 could not be downloaded completely              (retry helps)
    │   ├── LinkExpired               the pre-signed URL has expired: look up the artifact again
    │   └── TransferRefused           permanent: too large, a forbidden address, not http(s)
    ├── MediaHostDown                 a media host fails for all downloads: the rest waits   (retry helps)
    ├── StorageError                  the archive could not be read or written               (retry helps, mostly)
    │   ├── TableMissing              a table that a step builds on is not there: sync its day
    │   ├── ArchiveUnreadable         archive.json is damaged
    │   └── TableUnreadable           a table's file is not Parquet, or lacks a required column or value
    │       └── TableNewer            a newer version of recall_pipeline wrote it: update
    ├── CoordinationError             the server of RECALL_COORDINATION_URL does not answer   (retry helps)
    │   └── LockLost                  another process holds the lock now: nothing more is published
    └── AudioError                    a complete file cannot be decoded or normalized
        ├── NotAudio                  no decoder finds audio in the file
        └── NormalizationError        decoding or encoding failed midway
            └── WorkerNotStarted      no process could be started for a file           (retry helps)

`retry_can_help` is true if the same request can succeed later. Dagster retries only those.
"""

import errno

_OUT_OF_HANDLES = (errno.EMFILE, errno.ENFILE)
_TOO_MANY_OPEN_FILES = "Too many open files"
MORE_HANDLES = "raise the limit of open files (`ulimit -n`), or lower RECALL_CONCURRENCY and RECALL_WORKERS"
"""The next action where the process has too many open files."""


class PipelineError(Exception):
    """Base of the tree. Its text has the form `fault: next action`, is for the operator, and contains no secret."""

    retry_can_help = False


class SettingsError(PipelineError):
    """A setting is missing or wrong."""


class ArchiveRefused(SettingsError):
    """The archive has a newer format, or belongs to another API or workspace than the settings name."""


class UsageError(PipelineError):
    """The arguments of a command or run are not valid."""


class RecallError(PipelineError):
    """A request to the Recall.ai API failed (docs/design/recall-api.md, section 2).

    `status_code` is the HTTP status of the response; None without a response, or if its body is the problem.
    """

    def __init__(self, text: str, status_code: int | None = None) -> None:
        super().__init__(text)
        self.status_code = status_code


class RecallUnreachable(RecallError):
    """No response from the API, or only 5xx, until the retries ended."""

    retry_can_help = True


class RecallThrottled(RecallError):
    """The API requested a longer wait than the deadline allows, or a share of the request budget is used."""

    retry_can_help = True


class RecallUnauthorized(RecallError):
    """The key is not accepted: it is wrong, revoked, or of another region."""


class RecallRefused(RecallError):
    """The API refuses the request; the same request would fail again."""


class RecallNotFound(RecallError):
    """The object does not exist, or was deleted."""


class RecallProtocolError(RecallError):
    """The response does not follow the API's contract, so it is not used."""


class RecordingsVanished(PipelineError):
    """Many known recordings of a day are gone at Recall.ai at once, and nothing explains it."""


class TransferError(PipelineError):
    """An MP3 could not be downloaded completely.

    `is_host_fault`: the cause is the media host or the way to it, so other downloads from it may fail too.
    """

    retry_can_help = True

    def __init__(self, text: str, *, is_host_fault: bool = False) -> None:
        super().__init__(text)
        self.is_host_fault = is_host_fault


class LinkExpired(TransferError):
    """A pre-signed URL has expired; a lookup of the artifact returns a new one."""


class TransferRefused(TransferError):
    """The download is refused permanently."""

    retry_can_help = False


class MediaHostDown(PipelineError):
    """A media host fails for every download, so the rest of the day's MP3s are not fetched yet."""

    retry_can_help = True


class StorageError(PipelineError):
    """The archive could not be read or written.

    `is_out_of_space`: the disk is full or a size limit is reached, so a smaller file may still fit.
    `is_timeout`: the store did not finish this request, so one for another file may still succeed.
    """

    retry_can_help = True
    is_out_of_space = False
    is_timeout = False


class TableMissing(StorageError):
    """A table that a step builds on is not there, which does not mean that it is empty."""

    retry_can_help = False


class ArchiveUnreadable(StorageError):
    """The file `archive.json` is damaged."""

    retry_can_help = False


class TableUnreadable(StorageError):
    """The file of a day's table is not Parquet, or lacks a required column or value; other days are not affected."""

    retry_can_help = False


class TableNewer(TableUnreadable):
    """The file of a day's table has a newer schema version: rewriting it would drop columns."""


class CoordinationError(PipelineError):
    """The server of RECALL_COORDINATION_URL does not answer, so that neither budget nor locks are known."""

    retry_can_help = True


class LockLost(CoordinationError):
    """A lock has ended while this process was stopped or without the server, and may be another's now."""


class AudioError(PipelineError):
    """A complete file cannot be decoded or normalized."""


class NotAudio(AudioError):
    """No decoder finds audio in the file."""


class NormalizationError(AudioError):
    """Decoding or encoding failed midway."""


class WorkerNotStarted(NormalizationError):
    """No worker process could be started: the limit of open files, of processes, or of memory is reached."""

    retry_can_help = True


def is_out_of_handles(error: BaseException) -> bool:
    """Return whether an error, or one that caused it, is that the process or the system has too many open files."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        cause = waiting.pop()
        if cause is None or id(cause) in seen:
            continue
        if getattr(cause, "errno", None) in _OUT_OF_HANDLES or _TOO_MANY_OPEN_FILES in str(cause):
            return True
        seen.add(id(cause))
        waiting += [cause.__cause__, cause.__context__, getattr(cause, "os_error", None)]
    return False


def with_handle_hint(text: str) -> str:
    """Return an error's text with the cure for too many open files, if that is the error and has no cure yet."""
    if _TOO_MANY_OPEN_FILES not in text or "ulimit" in text:
        return text
    return f"{text}: {MORE_HANDLES}"
