"""What a day of the catalog has and lacks, as counts: no name, no id and no text of a meeting."""

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from recall_pipeline.browse.row_filter import FILTER_COLUMNS, CatalogFilter
from recall_pipeline.catalog import AUDIBLE, CATALOG, SETTLED, FindingCode, Outcome, is_at_risk
from recall_pipeline.errors import StorageError
from recall_pipeline.storage import Archive

if TYPE_CHECKING:
    import pyarrow as pa

_COLUMNS = ("recording_id", "duration_seconds", "expires_at", "cataloged_at", "outcome_reason")
_TRIED_AGAIN = (Outcome.PROCESSING, Outcome.DOWNLOAD_FAILED)
_UNFINISHED = (*_TRIED_AGAIN, Outcome.FAILED_UPSTREAM)
_LISTED_AT = b"recall_pipeline.fact.listed_at"


@dataclass(frozen=True, slots=True)
class DaySummary:
    """Counts of a day's rows.

    `seconds`: of audio. `open`: rows that can still change. `pending`: rows without audio that every sync tries again.
    `expiries`: when media expire that are not archived, ISO 8601. `synced_at`: when the listing was taken. `fault`: why
    the catalog cannot be read.
    """

    rows: int = 0
    recordings: int = 0
    seconds: float = 0.0
    open: int = 0
    pending: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    findings: dict[str, int] = field(default_factory=dict)
    platforms: dict[str, int] = field(default_factory=dict)
    expiries: list[str] = field(default_factory=list)
    synced_at: str | None = None
    fault: str | None = None

    @property
    def with_audio(self) -> int:
        """The number of rows with a normalized file."""
        return sum(self.outcomes.get(outcome, 0) for outcome in AUDIBLE)

    @property
    def missing(self) -> int:
        """The number of rows whose audio is missing; erased recordings do not count."""
        return self.rows - self.with_audio - self.outcomes.get(Outcome.FORGOTTEN, 0)

    @property
    def synced(self) -> datetime | None:
        """`synced_at` in UTC."""
        return datetime.fromisoformat(self.synced_at).astimezone(UTC) if self.synced_at else None

    def to_json(self) -> str:
        """Return the summary as text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "DaySummary":
        """Return the summary in a text of `to_json`; raises ValueError or TypeError for another text."""
        return cls(**json.loads(text))


def summarize_day(archive: Archive, day: date, selected: CatalogFilter) -> DaySummary:
    """Read and count the rows of a day that `selected` matches. A table that cannot be read is its `fault`."""
    try:
        table = read_catalog_columns(archive, day, (*_COLUMNS, *FILTER_COLUMNS))
    except StorageError as error:
        return DaySummary(fault=str(error))
    return DaySummary() if table is None else summary_of(selected.matching(table))


def read_catalog_columns(archive: Archive, day: date, names: tuple[str, ...]) -> "pa.Table | None":
    """Return columns of a day's catalog; those that an older file lacks are null. None: no table."""
    import pyarrow as pa

    table = CATALOG.load_file(archive, CATALOG.key(day), names)
    if table is None:
        return None
    for name in names:
        if name not in table.column_names:
            table = table.append_column(
                CATALOG.schema().field(name), pa.nulls(len(table), CATALOG.schema().field(name).type)
            )
    return table


def summary_of(table: "pa.Table") -> DaySummary:
    """Return the counts of a table with the columns of the catalog."""
    import pyarrow.compute as pc

    outcomes = _value_counts(table.column("outcome"))
    findings = _value_counts(pc.list_flatten(table.column("findings").combine_chunks()))
    settled = sum(count for outcome, count in outcomes.items() if outcome in SETTLED)
    return DaySummary(
        rows=len(table),
        recordings=pc.count_distinct(table.column("recording_id")).as_py(),
        seconds=pc.sum(table.column("duration_seconds")).as_py() or 0.0,
        open=len(table) - settled + findings.get(FindingCode.NEWER_VERSION_FAILED, 0),
        pending=sum(outcomes.get(outcome, 0) for outcome in _TRIED_AGAIN) + findings.get(FindingCode.OVERDUE, 0),
        outcomes=outcomes,
        findings=findings,
        platforms=_value_counts(table.column("platform")),
        expiries=_expiries(table),
        synced_at=_synced_at(table),
    )


def _value_counts(column: Any) -> dict[str, int]:
    import pyarrow.compute as pc

    counted = Counter({each["values"]: each["counts"] for each in pc.value_counts(column).to_pylist()})
    return {str(value): count for value, count in counted.most_common() if value is not None}


def _expiries(table: "pa.Table") -> list[str]:
    """Return when media expire that are not archived, the soonest first."""
    import pyarrow as pa
    import pyarrow.compute as pc

    is_candidate = pc.or_(
        pc.is_in(table.column("outcome"), value_set=_strings(_UNFINISHED)),
        pc.greater(pc.fill_null(pc.list_value_length(table.column("findings")), 0), pa.scalar(0)),
    )
    names = ("outcome", "outcome_reason", "findings", "expires_at")
    rows = table.filter(pc.and_(is_candidate, pc.is_valid(table.column("expires_at")))).select(names).to_pylist()
    at_risk = [row["expires_at"] for row in rows if is_at_risk(row["outcome"], row["outcome_reason"], row["findings"])]
    return [moment.isoformat() for moment in sorted(at_risk)]


def _strings(values: tuple[str, ...]) -> Any:
    import pyarrow as pa

    return pa.array([str(value) for value in values], pa.string())


def _synced_at(table: "pa.Table") -> str | None:
    """Return when the day's listing was taken; in files that do not state it, when a row last changed."""
    import pyarrow.compute as pc

    stated = (table.schema.metadata or {}).get(_LISTED_AT, b"").decode(errors="replace")
    try:
        return datetime.fromisoformat(stated).isoformat()
    except ValueError:
        changed: datetime | None = pc.max(table.column("cataloged_at")).as_py()
        return changed.isoformat() if changed else None
