"""Verify an archive: its days and tables that are not there, the place of its URIs, its rows and files, its names."""

from datetime import date

from recall_pipeline.catalog import first_day_kept
from recall_pipeline.days import utc_now
from recall_pipeline.progress import StepProgress
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive
from recall_pipeline.verification.absent import absent, expected_days
from recall_pipeline.verification.day_verification import Subset, stored_days, verify_days
from recall_pipeline.verification.elsewhere import elsewhere
from recall_pipeline.verification.orphans import strange_names
from recall_pipeline.verification.problems import VerificationReport


def verify_archive(
    archive: Archive,
    settings: Settings,
    progress: StepProgress,
    first: date | None = None,
    last: date | None = None,
    subset: Subset | None = None,
) -> VerificationReport:
    """Verify the days from `first` to `last`, by default all. A requested day that is not there is a problem.

    With `subset`, files of this part only are read back. Changes nothing. Raises StorageError if the archive cannot be
    listed.
    """
    held, stored = stored_days(archive), stored_days(archive, first, last)
    report = verify_days(archive, settings, stored, progress, subset=subset)
    expected = expected_days(held, first, last, first_day_kept(settings, utc_now().date()))
    lost = absent(archive, sorted({*stored, *expected}), settings.start_date)
    report.problems = sorted([*lost, *elsewhere(archive, stored), *report.problems], key=lambda problem: problem.day)
    report.strange_names = list(strange_names(archive))
    return report
