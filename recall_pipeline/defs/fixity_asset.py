"""Asset `fixity`, not partitioned: a materialization is one pass, with checks on what the table states afterwards."""

import inspect
from collections.abc import Iterator

import dagster as dg

from recall_pipeline.days import utc_now
from recall_pipeline.defs.daily_asset import RETRY_TRANSIENT
from recall_pipeline.defs.failure_log import failure_log
from recall_pipeline.defs.metadata import table_metadata
from recall_pipeline.defs.names import Names
from recall_pipeline.defs.run_context import RunContext
from recall_pipeline.fixity import FIXITY, FIXITY_KEY, FixityState, PassReport, ReadingCycle, read_state, run_pass
from recall_pipeline.settings import Settings

FIXITY_CHECKS = {
    "all_files_checked_in_time": "Every stored file was read back within RECALL_FIXITY_DAYS.",
    "all_files_intact": "No file was found damaged when it was last read back.",
}
"""The checks, with their descriptions. Alerts about them come from the table (`alert_fixity`), whatever was run."""
_IF_OFF = ReadingCycle(90)


def fixity_asset(names: Names) -> dg.AssetsDefinition:
    """Return the asset `fixity`."""
    spec = names.spec("fixity", kinds={"parquet"}, description=inspect.getdoc(fixity))

    @dg.asset(
        key=spec.key,
        deps=[names.asset("mixed_audio"), names.asset("audio_catalog")],
        description=spec.description,
        group_name=spec.group_name,
        owners=list(spec.owners),
        tags={name: value for name, value in spec.tags.items() if not name.startswith("dagster/kind/")},
        kinds=spec.kinds,
        metadata=spec.metadata,
        required_resource_keys={names.run_context},
        retry_policy=RETRY_TRANSIENT,
        check_specs=[dg.AssetCheckSpec(name, asset=spec.key, description=text) for name, text in FIXITY_CHECKS.items()],
    )
    def step(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        yield fixity(context, getattr(context.resources, names.run_context), spec.key)

    return step


def fixity(context: dg.AssetExecutionContext, run_context: RunContext, key: dg.AssetKey) -> dg.MaterializeResult[None]:
    """When each stored file was last read back, and what was found. Each run reads a share, the least recent first."""
    settings, archive = run_context.settings, run_context.archive
    with run_context.as_dagster_failure():
        report = run_pass(archive, cycle_of(settings) or _IF_OFF, run_context.progress_callback("read back"))
        state = read_state(archive, cycle_of(settings), utc_now())
    with failure_log(context.log, FIXITY.name) as failures:
        for row in report.damaged:
            failures.report("%s: %s", row.key, row.result)
    uri = archive.uri(FIXITY_KEY)
    return dg.MaterializeResult(
        metadata={**_numbers(report, state), **table_metadata(FIXITY, uri)},
        check_results=[_in_time(state, key), _intact(state, key)],
    )


def cycle_of(settings: Settings) -> ReadingCycle | None:
    """Return the cycle that the settings ask for; None if it is off."""
    return ReadingCycle(settings.fixity_cycle_days) if settings.fixity_cycle_days else None


def _numbers(report: PassReport, state: FixityState) -> dict[str, dg.MetadataValue]:
    numbers = {
        "dagster/row_count": state.files,
        "stored_bytes": state.size_bytes,
        "chosen": report.chosen,
        "checked": report.checked,
        "bytes_read": report.bytes_read,
        "damaged": sum(map(len, state.damaged.values())),
        "overdue": sum(state.overdue.values()),
        "never_checked": state.not_checked,
    }
    oldest = {"least_recent": dg.MetadataValue.timestamp(state.oldest)} if state.oldest else {}
    return {**{name: dg.MetadataValue.int(number) for name, number in numbers.items()}, **oldest}


def _in_time(state: FixityState, key: dg.AssetKey) -> dg.AssetCheckResult:
    count = sum(state.overdue.values())
    return dg.AssetCheckResult(
        passed=not count,
        asset_key=key,
        check_name="all_files_checked_in_time",
        metadata={"looked_at": state.files, "problems": count},
        description=f"{count} of {state.files} files are overdue." if count else None,
    )


def _intact(state: FixityState, key: dg.AssetKey) -> dg.AssetCheckResult:
    damaged = [file for files in state.damaged.values() for file in files]
    first = f"{len(damaged)} of {state.files} files, such as {damaged[0].key}: {damaged[0].code}" if damaged else None
    return dg.AssetCheckResult(
        passed=not damaged,
        asset_key=key,
        check_name="all_files_intact",
        metadata={"looked_at": state.files, "problems": len(damaged)},
        description=first,
    )
