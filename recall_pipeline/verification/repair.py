"""Which of the problems a sync can mend, which this room removes itself, and why one is left."""

import dataclasses
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import groupby
from operator import attrgetter

from recall_pipeline.storage import Archive, Layout
from recall_pipeline.verification.orphans import remove_if_redundant
from recall_pipeline.verification.problems import Kind, Problem, VerificationReport
from recall_pipeline.verification.referenced_files import Tables, read_tables


def days_to_sync_again(verified: VerificationReport) -> tuple[list[date], frozenset[str]]:
    """Return the days to sync, the oldest first, and the recordings to look at again on them.

    A corrupt recording is one (docs/design/interface.md, section 4, row 3); a day with an unreadable table is not, and
    neither is what is erased.
    """
    blocked = {
        problem.day for problem in verified.problems if problem.kind is Kind.UNREADABLE and not problem.recording_id
    }
    problems = [problem for problem in verified.problems if problem.kind is not Kind.ERASED]
    days = {problem.day for problem in problems} | set(verified.corrupt.values())
    recordings = {problem.recording_id for problem in problems if problem.recording_id}
    return sorted(days - blocked), frozenset(recordings | verified.corrupt.keys())


def remove_redundant_files(archive: Archive, verified: VerificationReport) -> None:
    """Remove each orphan whose very bytes are cataloged under another name of the same audio."""
    orphans = [problem for problem in verified.problems if problem.kind is Kind.ORPHANED]
    for day in sorted({orphan.day for orphan in orphans}):
        with archive.lock_day(day):
            tables = read_tables(archive, day)
            for orphan in orphans:
                if orphan.day == day:
                    remove_if_redundant(archive, tables, orphan.what)


def with_explanations(archive: Archive, problems: Iterable[Problem]) -> Iterator[Problem]:
    """Yield problems with why a sync that looked at them again did not mend them, as far as the tables know.

    They come by day, so that a day's tables are read once.
    """
    for day, of_day in groupby(problems, key=attrgetter("day")):
        tables = read_tables(archive, day)
        for problem in of_day:
            why = _why_left(tables, problem)
            yield dataclasses.replace(problem, says=f"{problem.says}; {why}") if why else problem


def _why_left(tables: Tables, problem: Problem) -> str:
    for mp3 in tables.mp3s:
        if mp3.source_key == problem.what:
            if mp3.fetch_failure:
                return f"fetching it again failed: {mp3.fetch_failure}"
            return "" if mp3.is_offered else "Recall offers it no more: restore it from a backup"
    for row in tables.catalog:
        if row.audio_uri and Layout.key_in(row.audio_uri) == problem.what:
            return row.outcome_reason or ""
    return "look at it, and move it away by hand" if problem.kind is Kind.ORPHANED else ""
