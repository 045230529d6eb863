"""The columns of a catalog row that describe normalized audio, wherever they come from."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recall_pipeline.audio import Normalized, Peaks, Target
from recall_pipeline.catalog.findings import FindingCode, kept_with_file
from recall_pipeline.catalog.rows import CatalogRow
from recall_pipeline.errors import MORE_HANDLES, PipelineError, WorkerNotStarted, is_out_of_handles
from recall_pipeline.storage import Archive, Layout

_BARS = "▁▂▃▄▅▆▇█"
_COLUMNS = (
    "audio_uri", "audio_key", "audio_bytes", "audio_sha256", "audio_format", "audio_sample_rate_hz", "audio_channels",
    "audio_samples", "source_lufs", "source_true_peak_dbtp", "loudness_range_lu", "audio_lufs",
    "audio_true_peak_dbtp", "gain_db", "speech_ratio", "audio_recipe",
    "audio_findings", "waveform",
)  # fmt: skip
SOURCE_COLUMNS = (
    "duration_seconds", "source_bytes", "source_sha256", "source_codec", "source_sample_rate_hz", "source_channels",
    "source_bitrate_bps",
)  # fmt: skip
"""The columns of a catalog row that describe an MP3, named as in `mixed_audio`."""


@dataclass(frozen=True, slots=True)
class AudioColumns:
    """Values by column name, and what the outcome depends on.

    `finding` says what is not quite as asked for, `codes` the same as finding codes; `failure` says why there is no
    normalized file. `peaks` are those of a file that was made for this row; None for a file that is kept.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    is_silent: bool = False
    finding: str | None = None
    failure: str | None = None
    codes: tuple[str, ...] = ()
    peaks: Peaks | None = None

    @classmethod
    def from_result(cls, archive: Archive, key: str, target: Target, result: Normalized) -> "AudioColumns":
        """Return the columns of a file that was normalized just now and published under `key`."""
        findings = "; ".join(result.findings) or None
        values = {name: getattr(result, name) for name in _COLUMNS if hasattr(result, name)} | {
            "audio_uri": archive.uri(key),
            "audio_key": key,
            "audio_recipe": target.recipe,
            "audio_findings": findings,
            "waveform": "".join(_BARS[min(int(peak * len(_BARS)), len(_BARS) - 1)] for peak in result.waveform),
        }
        return cls(values, result.is_silent, findings, codes=result.finding_codes, peaks=result.peaks)

    @classmethod
    def from_catalog(cls, archive: Archive, row: CatalogRow) -> "AudioColumns":
        """Return the columns of a file that an earlier sync normalized; the archive may have moved since."""
        values = {name: getattr(row, name) for name in _COLUMNS}
        key = Layout.key_in(row.audio_uri or "")
        values |= {"audio_uri": archive.uri(key), "audio_key": key}
        return cls(values, row.audio_lufs is None, row.audio_findings, codes=kept_with_file(row.findings))

    @classmethod
    def keep_previous(cls, archive: Archive, row: CatalogRow, error: BaseException | None) -> "AudioColumns":
        """Return the columns of the file normalized before, since normalizing the same bytes again failed.

        A row without a recipe is one whose file is lost or damaged. It stays so, and the next sync tries again.
        """
        kept = "the previous normalized file is kept, since"
        lost = "the normalized file is lost or damaged, and"
        finding = f"{kept if row.audio_recipe else lost} normalizing it again failed: {_error_text(error)}"
        previous = cls.from_catalog(archive, row)
        codes = (*previous.codes, FindingCode.RENORMALIZING_FAILED)
        return dataclasses.replace(previous, finding=finding, codes=codes)

    @classmethod
    def from_older_version(cls, archive: Archive, row: CatalogRow) -> "AudioColumns":
        """Return the columns of the version in the catalog and of its MP3, whatever `mixed_audio` states."""
        previous = cls.from_catalog(archive, row)
        key = Layout.key_in(row.source_uri or "")
        source = {name: getattr(row, name) for name in SOURCE_COLUMNS}
        values = {**previous.values, **source, "source_key": key, "source_uri": archive.uri(key)}
        return dataclasses.replace(previous, values=values)

    @classmethod
    def keep_older_version(cls, archive: Archive, row: CatalogRow, error: BaseException | None) -> "AudioColumns":
        """Return the columns of an older version and of its MP3, since normalizing the newer one failed."""
        previous = cls.from_older_version(archive, row)
        failure = f"a newer version could not be normalized: {_error_text(error)}"
        return dataclasses.replace(
            previous,
            finding="; ".join(filter(None, (previous.finding, failure))),
            codes=(*previous.codes, FindingCode.NEWER_VERSION_FAILED),
        )

    @classmethod
    def failed(cls, error: BaseException | None) -> "AudioColumns":
        """Return the columns of an MP3 that could not be normalized: none."""
        return cls(failure=_error_text(error))


def _error_text(error: BaseException | None) -> str:
    """Return why it failed; only texts of this project's own errors are safe to quote."""
    if error is not None and is_out_of_handles(error):
        return str(error) if isinstance(error, WorkerNotStarted) else f"too many open files: {MORE_HANDLES}"
    return str(error) if isinstance(error, PipelineError) else f"its process ended with {type(error).__name__}"
