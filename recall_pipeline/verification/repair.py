"""Repair strategy for each kind of problem: sync again, delete a redundant orphan, or report the reason."""

import dataclasses
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import groupby
from operator import attrgetter

from recall_pipeline.migration import TRANSCRIPT_KEYS
from recall_pipeline.storage import Archive, Layout
from recall_pipeline.verification.codes import Kind
from recall_pipeline.verification.orphans import remove_if_redundant
from recall_pipeline.verification.problems import Problem, VerificationReport
from recall_pipeline.verification.referenced_files import Tables, read_tables


def days_to_sync_again(report: VerificationReport) -> tuple[list[date], frozenset[str]]:
    """Return the days to sync, oldest first, and the ids of the recordings to fetch again.

    Includes corrupt recordings (docs/design/interface.md, section 4, row 3). Excludes days with an unreadable table,
    and erased recordings and bots.
    """
    blocked = {
        problem.day
        for problem in report.problems
        if problem.kind is Kind.UNREADABLE
        and not problem.recording_id
        and problem.subject != TRANSCRIPT_KEYS.key(problem.day)  # of another code location: a sync does not need it
    }
    problems = [problem for problem in report.problems if problem.kind is not Kind.ERASED]
    days = {problem.day for problem in problems} | set(report.corrupt.values())
    recordings = {problem.recording_id for problem in problems if problem.recording_id}
    return sorted(days - blocked), frozenset(recordings | report.corrupt.keys())


def remove_redundant_files(archive: Archive, report: VerificationReport) -> set[Problem]:
    """Remove each orphan whose bytes are also cataloged under another name of the same audio; return these problems.

    Raises StorageError.
    """
    removed: set[Problem] = set()
    orphans = [problem for problem in report.problems if problem.kind is Kind.ORPHANED]
    for day in sorted({orphan.day for orphan in orphans}):
        with archive.lock_day(day):
            tables = read_tables(archive, day)
            for orphan in orphans:
                if orphan.day == day and remove_if_redundant(archive, tables, orphan.subject):
                    removed.add(orphan)
    return removed


def with_explanations(archive: Archive, problems: Iterable[Problem]) -> Iterator[Problem]:
    """Yield the problems that a sync did not repair, each with the reason that the tables state, if any.

    `problems` are grouped by day, so that the tables of a day are read once.
    """
    for day, of_day in groupby(problems, key=attrgetter("day")):
        tables = read_tables(archive, day)
        for problem in of_day:
            reason = _reason_left(tables, problem)
            yield dataclasses.replace(problem, message=f"{problem.message}; {reason}") if reason else problem


def _reason_left(tables: Tables, problem: Problem) -> str:
    for mp3 in tables.mp3s:
        if mp3.source_key == problem.subject:
            if mp3.fetch_failure:
                return f"the new download failed: {mp3.fetch_failure}"
            return "" if mp3.is_offered else "it is no longer available at Recall.ai: restore it from a backup"
    for row in tables.catalog:
        if Layout.audio_key_in(row.audio_uri) == problem.subject:
            return row.outcome_reason or ""
    if problem.kind is not Kind.ORPHANED:
        return ""
    if not tables.name_all_files:
        return "a lost table may reference it: keep it"
    return "inspect it, and move it out of the archive"
