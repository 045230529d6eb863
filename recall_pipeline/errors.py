"""Every error this project raises on purpose.

    PipelineError                     what, where, what to do; never a secret
    ├── SettingsError                 a setting is missing or wrong: fix it, then start again
    ├── UsageError                    a command or run was asked for something it cannot do
    ├── RecallError                   the Recall.ai API did not give what was asked
    │   ├── RecallUnreachable         no answer: network, DNS, time-out, or 5xx to the end   (retry helps)
    │   ├── RecallThrottled           429 for longer than the deadline                       (retry helps)
    │   ├── RecallUnauthorized        401: bad key, or a key of another region
    │   ├── RecallRefused             400, 402, 403, 405, 409: the request itself is refused
    │   ├── RecallNotFound            404: deleted, or never existed
    │   └── RecallProtocolError       an answer that is not what the API promises
    ├── TransferError                 an MP3's bytes could not be brought home whole
    │   ├── LinkExpired               the pre-signed URL is no longer honoured: read the artifact again
    │   └── TransferRefused           permanent: too large, a forbidden address, not http(s)
    ├── StorageError                  the archive could not be read or written
    │   └── TableMissing              a table that a step builds on is not there: sync its day
    └── AudioError                    bytes are whole, yet cannot become audio
        ├── NotAudio                  no decoder finds a sound in them
        └── NormalizationError        decoding or encoding failed on the way

`retry_can_help` says whether trying again later, unchanged, can succeed. Dagster retries only those.
"""


class PipelineError(Exception):
    """Base of the tree; its text is written for the person who has to act on it."""

    retry_can_help = False


class SettingsError(PipelineError):
    """A setting is missing or wrong."""


class UsageError(PipelineError):
    """A command or run was asked for something it cannot do."""


class RecallError(PipelineError):
    """The Recall.ai API did not give what was asked (docs/design/recall-api.md, section 2).

    `status_code` is the HTTP status of the answer; None when there was none, or when its body was at fault.
    """

    def __init__(self, text: str, status_code: int | None = None) -> None:
        super().__init__(text)
        self.status_code = status_code


class RecallUnreachable(RecallError):
    """No answer from the API, or only 5xx, until the deadline."""

    retry_can_help = True


class RecallThrottled(RecallError):
    """The API asked to wait for longer than the deadline allows."""

    retry_can_help = True


class RecallUnauthorized(RecallError):
    """The key is refused: it is wrong, revoked, or of another region."""


class RecallRefused(RecallError):
    """The API refuses the request as it is; sending it again changes nothing."""


class RecallNotFound(RecallError):
    """The object does not exist, or no longer."""


class RecallProtocolError(RecallError):
    """The answer is not what the API promises, so nothing is built on it."""


class TransferError(PipelineError):
    """The bytes of an MP3 could not be brought home whole."""

    retry_can_help = True


class LinkExpired(TransferError):
    """A pre-signed URL is no longer honoured; a fresh one is minted by reading the artifact."""


class TransferRefused(TransferError):
    """This download is never tried again as it is."""

    retry_can_help = False


class StorageError(PipelineError):
    """The archive could not be read or written; `is_lack_of_room` says that another file may fit all the same."""

    retry_can_help = True
    is_lack_of_room = False


class TableMissing(StorageError):
    """A table that a step builds on is not there, which does not mean that it is empty."""

    retry_can_help = False


class AudioError(PipelineError):
    """Bytes that arrived whole cannot become audio."""


class NotAudio(AudioError):
    """No decoder finds a sound in the bytes."""


class NormalizationError(AudioError):
    """Decoding or encoding failed on the way."""
