"""Quality checks of a day: each compares tables that were read with each other, the files or the settings.

A check repairs nothing. It returns how many things are wrong, a few examples, and the next action.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from recall_pipeline.catalog.audio_targets import SAME_SETTINGS, conflict_in, uses_in
from recall_pipeline.catalog.duration_difference import notable_difference
from recall_pipeline.catalog.findings import FindingCode
from recall_pipeline.catalog.outcomes import AUDIBLE, Outcome, is_at_risk
from recall_pipeline.catalog.rows import CatalogRow
from recall_pipeline.discovery import RECORDINGS, RecordingRow, listing_time
from recall_pipeline.download import MixedAudioRow
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, Layout, Table, mismatch, size_mismatch

EXPIRES_SOON = timedelta(hours=48)
_LOSSLESS_TOLERANCE_LU, _LOSSY_TOLERANCE_LU = 0.3, 0.5
_SAMPLE = 5
_SAME_ANSWERS = 5  # MP3s of different meetings never have the same bytes
_OFF_TARGET = frozenset((FindingCode.TOO_QUIET, FindingCode.OFF_TARGET))
_DAMAGE = frozenset(
    (
        FindingCode.SHORTER_THAN_PROMISED,
        FindingCode.LONGER_THAN_PROMISED,
        FindingCode.DAMAGED_FRAMES,
        FindingCode.ZERO_RUNS,
        FindingCode.CUT_AT_END,
        FindingCode.SPLICED_AUDIO,
        FindingCode.REPEATED_AUDIO,
    )
)


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check: how much was looked at, every problem in a line, and the next action."""

    looked_at: int
    problems: tuple[str, ...]
    next_action: str

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    @property
    def sample(self) -> str:
        """The first few problems."""
        more = len(self.problems) - _SAMPLE
        return "; ".join(self.problems[:_SAMPLE]) + (f"; and {more} more" if more > 0 else "")


def conflicting_deployments(facts: Mapping[str, str], now: datetime) -> Finding:
    """No other deployment normalizes the day with other audio settings; `facts` are those of its catalog."""
    uses = uses_in(facts)
    conflict = conflict_in(uses, now)
    return Finding(len(uses), (conflict,) if conflict else (), SAME_SETTINGS)


def missing_among(
    recordings: Iterable[RecordingRow], mp3s: Iterable[MixedAudioRow], catalog: Collection[CatalogRow]
) -> Finding:
    """Every recording and every MP3 has its row in the catalog."""
    known = {row.recording_id for row in recordings}
    audio = {row.audio_id for row in mp3s if row.recording_id in known}
    missing = [f"recording {name}" for name in sorted(known - {row.recording_id for row in catalog})]
    missing += [f"MP3 {name}" for name in sorted(audio - {row.audio_id for row in catalog})]
    return Finding(len(known) + len(audio), tuple(missing), "materialize the day again")


def same_corrupt_bytes(catalog: Collection[CatalogRow]) -> Finding:
    """Fewer than five corrupt MP3s have the same bytes. More of them are an answer of something else than Recall.ai."""
    shared = Counter(row.source_sha256 for row in catalog if row.outcome == Outcome.CORRUPT and row.source_sha256)
    problems = tuple(
        f"{count} corrupt MP3s have the same bytes, of SHA-256 {sha256[:8]}"
        for sha256, count in shared.items()
        if count >= _SAME_ANSWERS
    )
    action = (
        "look at one of them in mixed_audio: a firewall, proxy or sign-in page may answer in place of the media host; "
        "once it does not, run `recall-pipeline verify --repair` for the day, before Recall removes the recordings"
    )
    return Finding(sum(shared.values()), problems, action)


def byte_mismatches(archive: Archive, day: date, mp3s: Iterable[MixedAudioRow]) -> Finding:
    """Every file of `mp3s` has the size that its row states; those downloaded by the last sync, the SHA-256 too.

    On an object store each file costs a request, and an upload is checked as it arrives. There only the sizes of the
    files of the last sync are compared, from one listing; `verify` checks everything.
    """
    rows = [row for row in mp3s if row.source_key]
    new = _captured_by_last_sync(archive, day, rows)
    if archive.is_local:
        hashes = {row.audio_id: row.source_sha256 for row in new}
        mismatches = ((r, mismatch(archive, r.source_key or "", r.source_bytes, hashes.get(r.audio_id))) for r in rows)
    else:
        rows = new
        sizes = archive.sizes_below(Layout.folder("mixed_audio", day)) if new else {}
        mismatches = ((row, size_mismatch(sizes.get(row.source_key or ""), row.source_bytes)) for row in new)
    problems = tuple(f"MP3 {row.audio_id} {problem}" for row, problem in mismatches if problem)
    return Finding(len(rows), problems, "run `recall-pipeline verify --repair` for the day")


def _captured_by_last_sync(archive: Archive, day: date, rows: Iterable[MixedAudioRow]) -> list[MixedAudioRow]:
    since = listing_time(RECORDINGS.facts(archive, day) or {})
    return [row for row in rows if since and row.captured_at is not None and row.captured_at >= since]


def duration_differences(catalog: Iterable[CatalogRow]) -> Finding:
    """The decoded length agrees with the API's times, as far as meetings do not pause."""

    def problem(row: CatalogRow) -> str | None:
        return notable_difference(row.recording_seconds, row.duration_seconds)

    return _over(_audible(catalog), problem, "listen to one; a pause is normal, missing minutes are not")


def damaged_audio(catalog: Iterable[CatalogRow]) -> Finding:
    """Every archived MP3 decodes to what its header promises, without damage between frames."""

    def problem(row: CatalogRow) -> str | None:
        codes = sorted(_DAMAGE.intersection(row.findings or ()))
        return f"has {', '.join(codes)}: {row.audio_findings}" if codes else None

    return _over(
        _audible(catalog), problem, "play it there; these are the bytes that Recall serves, so report it to them"
    )


def loudness_out_of_tolerance(catalog: Iterable[CatalogRow], settings: Settings) -> Finding:
    """Ready files have the target loudness and stay below the peak ceiling, unless their findings state why not."""
    lossless = settings.audio_format in ("flac", "wav")
    tolerance_lu = _LOSSLESS_TOLERANCE_LU if lossless else _LOSSY_TOLERANCE_LU

    def problem(row: CatalogRow) -> str | None:
        peak, loudness = row.audio_true_peak_dbtp, row.audio_lufs
        if peak is not None and peak > settings.true_peak_dbtp:
            return f"peaks at {peak:.1f} dBTP"
        if loudness is None or _is_explained(row) or abs(loudness - settings.target_lufs) <= tolerance_lu:
            return None
        return f"has {loudness:.1f} LUFS"

    return _over(_audible(catalog), problem, "report it with the file's audio_recipe: the engine missed its target")


def _is_explained(row: CatalogRow) -> bool:
    """Whether the row's findings state why it misses the target; rows of earlier versions have words only."""
    return bool(row.audio_findings) if row.findings is None else not _OFF_TARGET.isdisjoint(row.findings)


def expiring_soon(catalog: Iterable[CatalogRow], now: datetime) -> Finding:
    """No recording, and no newer version of one, that is not archived expires within two days.

    What has expired cannot be fetched any more, and is not about to.
    """
    rows = [row for row in catalog if is_at_risk(row.outcome, row.outcome_reason, row.findings)]

    def problem(row: CatalogRow) -> str | None:
        if row.expires_at is None or not now <= row.expires_at <= now + EXPIRES_SOON:
            return None
        state = "has a newer version" if row.outcome in AUDIBLE else f"is {row.outcome}"
        return f"{state} and expires at {row.expires_at:%Y-%m-%d %H:%M} UTC"

    return _over(rows, problem, "find out why it cannot be fetched, before Recall removes it")


def failed_downloads_left(catalog: Iterable[CatalogRow]) -> Finding:
    """No download is left failed, not even one of a newer version."""

    def problem(row: CatalogRow) -> str | None:
        is_left = row.outcome == Outcome.DOWNLOAD_FAILED or FindingCode.NEWER_VERSION_FAILED in (row.findings or ())
        return (row.outcome_reason or "no reason") if is_left else None

    return _over(catalog, problem, "fix what the reasons name; every sync of the day tries again")


def schema_mismatch(table: Table[Any], stored: Mapping[str, str] | None) -> Finding:
    """The day's file has exactly the columns and types that are declared; `stored` has type by column."""
    if stored is None:
        return Finding(0, ("there is no table",), "materialize the day")
    declared = {name: kind for name, (kind, _) in table.columns.items()}
    apart = [
        f"{name} is {stored.get(name, 'missing')}, not {kind}"
        for name, kind in declared.items()
        if stored.get(name) != kind
    ]
    apart += [f"{name} is not declared" for name in stored.keys() - declared.keys()]
    return Finding(len(declared), tuple(apart), "materialize the day again with this version")


def _audible(catalog: Iterable[CatalogRow]) -> list[CatalogRow]:
    return [row for row in catalog if row.outcome in AUDIBLE]


def _over(rows: Iterable[CatalogRow], problem_of: Callable[[CatalogRow], str | None], next_action: str) -> Finding:
    looked_at = list(rows)
    problems = [f"recording {row.recording_id} {problem}" for row in looked_at if (problem := problem_of(row))]
    return Finding(len(looked_at), tuple(problems), next_action)
