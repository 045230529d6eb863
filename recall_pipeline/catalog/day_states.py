"""What the tables of a day state about its sync: whether it is complete, and which rows are not finished."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from recall_pipeline.audit import AUDIT
from recall_pipeline.catalog.findings import FindingCode
from recall_pipeline.catalog.outcomes import SETTLED, Outcome, is_at_risk, is_pending
from recall_pipeline.catalog.quality_checks import EXPIRES_SOON
from recall_pipeline.catalog.rows import CATALOG
from recall_pipeline.days import end_of
from recall_pipeline.discovery import BOTS, RECORDINGS, Unknowns, first_listing_time, listing_time
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.storage import Archive, ScannedDay, Table, stream_tables

_OF_A_SYNC: tuple[Table[Any], ...] = (BOTS, RECORDINGS, MIXED_AUDIO, CATALOG)
_TABLES = (*_OF_A_SYNC, AUDIT)  # a sync reads the audit too
_CATALOG_COLUMNS = ("outcome", "outcome_reason", "findings", "expires_at")
StoredDays = Mapping[str, Collection[date]]
"""The days that are listed for each table."""


@dataclass(frozen=True, slots=True)
class DayState:
    """The state of one day.

    `listed_at`: when the listing was taken that its catalog is built from. `first_listed_at`: when it was listed for
    the first time after its end; None in tables of older versions. `is_whole`: it has all four tables, from its
    latest listing, which was taken after its end. `is_open`: a sync in the lookback may change a row. `pending`: rows
    that every sync tries again. `failed`: rows with a failed download, also of a newer version. `expiries`: when media
    expire that are not archived, of rows and of recordings that are not cataloged yet, the soonest first.
    `fault`: why a table cannot be read. `first_seen`: what Recall.ai sent on this day for the first time, and when.
    """

    day: date
    listed_at: datetime | None = None
    first_listed_at: datetime | None = None
    is_whole: bool = False
    is_open: bool = False
    pending: int = 0
    failed: int = 0
    expiries: tuple[datetime, ...] = ()
    fault: str | None = None
    first_seen: Mapping[str, datetime] = field(default_factory=dict)

    def is_expiring(self, now: datetime, within: timedelta = EXPIRES_SOON) -> bool:
        """Return whether media that are not archived expire `within` this time."""
        return any(now <= expiry <= now + within for expiry in self.expiries)


def days_of_tables(archive: Archive) -> StoredDays:
    """Return the days of each table by one listing per table. Raises StorageError."""
    return {table.name: frozenset(archive.days(table.name)) for table in _TABLES}


def first_day_of(stored: StoredDays) -> date | None:
    """Return the first day of the archive; None if no table has any day."""
    return min((day for table in _OF_A_SYNC for day in stored[table.name]), default=None)


def read_day_states(
    archive: Archive, stored: StoredDays, days: Collection[date], now: datetime
) -> dict[date, DayState]:
    """Return the state of each of `days`. Raises StorageError if the storage itself does not answer."""
    columns = {table: _CATALOG_COLUMNS if table is CATALOG else () for table in _TABLES}
    states = {day: _state(day, tables, now) for day, tables in stream_tables(archive, days, columns, stored)}
    return states | _with_expiries(
        archive, stored, [each for each in states.values() if not (each.is_whole or each.fault)]
    )


def _state(day: date, scanned: Mapping[str, ScannedDay], now: datetime) -> DayState:
    errors = [str(each.error) for each in scanned.values() if each.error]
    if errors:
        return DayState(day, fault=errors[0])
    stored = {name: each.stored for name, each in scanned.items() if each.stored}
    catalog, listed = stored.get(CATALOG.name), stored.get(RECORDINGS.name)
    facts = listed.facts if listed else {}
    first_seen = Unknowns.of(facts).first_seen
    if catalog is None:
        return DayState(day, first_seen=first_seen)
    rows = list(zip(*catalog.values.values(), strict=True))  # values as in _CATALOG_COLUMNS
    newer_failed = [FindingCode.NEWER_VERSION_FAILED in (findings or ()) for _, _, findings, _ in rows]
    listed_at = listing_time(catalog.facts)
    is_complete = all(table.name in stored for table in _OF_A_SYNC)
    is_latest = listed_at is not None and listed_at == listing_time(facts)
    return DayState(
        day,
        listed_at,
        first_listing_time(facts),
        is_whole=is_complete and is_latest and listed_at is not None and end_of(day) <= listed_at <= now,
        is_open=any(newer_failed) or any(outcome not in SETTLED for outcome, *_ in rows),
        pending=sum(is_pending(*stated) for *stated, _ in rows),
        failed=sum(newer_failed) + sum(outcome == Outcome.DOWNLOAD_FAILED for outcome, *_ in rows),
        expiries=tuple(sorted(expiry for *stated, expiry in rows if expiry and is_at_risk(*stated))),
        first_seen=first_seen,
    )


def _with_expiries(archive: Archive, stored: StoredDays, states: Collection[DayState]) -> dict[date, DayState]:
    """Return the days that are not whole with the expiries of the recordings that their catalogs lack."""
    by_day = {state.day: state for state in states}
    columns: dict[Table[Any], tuple[str, ...]] = {
        RECORDINGS: ("recording_id", "expires_at"),
        CATALOG: ("recording_id",),
    }
    tables = stream_tables(archive, by_day, columns, stored)
    return {day: _with_uncataloged(by_day[day], scanned) for day, scanned in tables}


def _with_uncataloged(state: DayState, scanned: Mapping[str, ScannedDay]) -> DayState:
    if error := next((each.error for each in scanned.values() if each.error), None):
        return DayState(state.day, fault=str(error))
    stored = {name: each.stored for name, each in scanned.items() if each.stored}
    listed, cataloged = stored.get(RECORDINGS.name), stored.get(CATALOG.name)
    if listed is None:
        return state
    names = set(cataloged.values["recording_id"]) if cataloged else set()
    values = zip(listed.values["recording_id"], listed.values["expires_at"], strict=True)
    expiries = {expiry for name, expiry in values if expiry and name not in names}
    return replace(state, expiries=tuple(sorted({*state.expiries, *expiries})))
