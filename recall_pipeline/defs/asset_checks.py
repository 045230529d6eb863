"""Asset checks: one step per asset, which reads each table of a day once and gives a result per check.

A wrong schema blocks the assets downstream. The other checks report: one bad recording never stops the others.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import dagster as dg

from recall_pipeline.catalog import Finding
from recall_pipeline.defs.check_tables import CheckTables
from recall_pipeline.defs.names import Names
from recall_pipeline.defs.partitions import days_of
from recall_pipeline.defs.run_context import RunContext
from recall_pipeline.defs.table_checks import CHECKS, TableCheck


def asset_checks(names: Names, days: dg.DailyPartitionsDefinition) -> list[dg.AssetChecksDefinition]:
    """Return the checks of each asset, with one result per run: of a day, or of a range of days."""
    return [_checks_of(asset, checks, names, days) for asset, checks in CHECKS.items()]


def _checks_of(
    asset: str, checks: Sequence[TableCheck], names: Names, days: dg.DailyPartitionsDefinition
) -> dg.AssetChecksDefinition:
    """Return the checks of `asset`, which its pages can also start one by one."""

    @dg.multi_asset_check(
        name=names.of(f"{asset}_checks"),
        specs=[_spec(check, names.asset(asset), days) for check in checks],
        can_subset=True,
        required_resource_keys={names.run_context},
    )
    def evaluate(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        run_context: RunContext = getattr(context.resources, names.run_context)
        selected = {key.name for key in context.selected_asset_check_keys}
        tables = [CheckTables(run_context, day) for day in days_of(context)]
        for check in (check for check in checks if check.name in selected):
            with run_context.as_dagster_failure():
                findings = {each.day: check.evaluate(each) for each in tables}
            yield _result(check, names.asset(asset), findings)

    return evaluate


def _spec(check: TableCheck, asset: dg.AssetKey, days: dg.DailyPartitionsDefinition) -> dg.AssetCheckSpec:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)  # of partitions of checks
        return dg.AssetCheckSpec(
            check.name, asset=asset, description=check.description, blocking=check.blocking, partitions_def=days
        )


def _result(check: TableCheck, asset: dg.AssetKey, findings: Mapping[date, Finding]) -> dg.AssetCheckResult:
    """Return one result for all days. Its metadata `days` names those with problems, if it is of a range."""
    problems = {day: finding for day, finding in findings.items() if not finding.passed}
    count = sum(len(finding.problems) for finding in problems.values())
    looked_at = sum(finding.looked_at for finding in findings.values())
    metadata: dict[str, int | str] = {"looked_at": looked_at, "problems": count}
    description = None
    if problems:
        first = next(iter(problems.values()))
        description = f"{count} of {looked_at}: {first.sample}. Next: {first.next_action}."
        metadata["next_action"] = first.next_action
    if problems and len(findings) > 1:  # Dagster stores the result of a range without a partition
        metadata["days"] = ", ".join(map(str, problems))
    return dg.AssetCheckResult(
        passed=not problems,
        asset_key=asset,
        check_name=check.name,
        severity=check.severity,
        description=description,
        metadata=metadata,
    )
