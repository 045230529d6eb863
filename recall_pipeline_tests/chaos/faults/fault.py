"""One fault, and the trial of a sync under it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from recall_pipeline.days import utc_now
from recall_pipeline_tests.chaos.trials import Ended, Running, ShiftedClock, Trial, small_world
from recall_sandbox import Rule, Sandbox

PAGE_SIZE = 3
Injection = Callable[[Trial], Iterable[Rule]]


def always(*rules: Rule) -> Injection:
    """Injection with the same rules wherever."""
    return lambda _: rules


def _no_action(_: Trial, __: Running) -> bool:
    """Do nothing besides the rules."""
    return True


def _nothing_to_lift(_: Trial) -> None:
    """Lift nothing besides the rules."""


def _no_rules(_: Trial) -> Iterable[Rule]:
    """Injection with something else than rules."""
    return ()


def _no_arguments(_: Trial) -> tuple[str, ...]:
    """Add no arguments."""
    return ()


@dataclass(frozen=True)
class Fault:
    """A fault and its expected result.

    `inject` prepares it, and returns rules for the sandbox. `during` acts on the running sync, and returns whether it
    could. `lift` undoes `inject`. `statuses`: the expected exit statuses; a sync with status 0 must be complete unless
    it `may_miss`. `message`: expected text on standard error. `again`: extra arguments of the sync after the fault.
    """

    name: str
    inject: Injection = _no_rules
    during: Callable[[Trial, Running], bool] = _no_action
    lift: Callable[[Trial], None] = _nothing_to_lift
    statuses: tuple[int, ...] = (0,)
    message: str = ""
    may_miss: bool = False
    again: Callable[[Trial], tuple[str, ...]] = _no_arguments
    settings: Mapping[str, str] = field(default_factory=dict)
    switches: Mapping[str, Any] = field(default_factory=dict)
    handicap: Callable[[Trial], tuple[str, ...]] = _no_arguments
    talk_seconds: float = 4
    bound_seconds: float = 300


@dataclass(frozen=True)
class Verdict:
    """The result of a trial: how the sync under the fault ended, its first line of output, and all errors found."""

    fault: str
    status: int | None
    seconds: float
    first_line: str
    wrong: Sequence[str]

    def as_json(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        return asdict(self)


def attempt(fault: Fault, folder: Path) -> Verdict:
    """Run a sync under the fault, lift the fault, and run one more sync."""
    day = utc_now().date() - timedelta(days=1)
    world = small_world(day, talk_seconds=fault.talk_seconds)
    switches = {"list_per_minute": None, "object_per_minute": None, "page_size": PAGE_SIZE, "repeat_rows": 1}
    clock = ShiftedClock()
    with Sandbox(world, clock=clock, **{**switches, **fault.switches}).running() as sandbox:
        trial = Trial(folder, sandbox, day, clock)
        rules = [sandbox.faults.add(rule) for rule in fault.inject(trial)]
        running = trial.start(handicap=fault.handicap(trial), **fault.settings)
        acted = fault.during(trial, running)
        ended = trial.end(running, fault.bound_seconds)
        wrong = [] if acted else ["the action during the sync was not possible, or failed"]
        wrong += [f"the fault was not applied: {rule}" for rule in rules if not sandbox.faults.applied(rule)]
        wrong += _unexpected_end(fault, ended)
        if ended.status == 0 and not fault.may_miss:
            wrong += [f"the sync reported success: {fall}" for fall in trial.shortfalls()]
        _lift(fault, trial, switches)
        wrong += _recovery_errors(fault, trial)
    lines = ended.err.strip().splitlines()
    return Verdict(fault.name, ended.status, round(ended.seconds, 1), lines[0] if lines else "", wrong)


def _unexpected_end(fault: Fault, ended: Ended) -> list[str]:
    """Return what was unexpected in how the sync under the fault ended."""
    wrong = []
    if ended.status is None:
        wrong.append(f"it hung for {fault.bound_seconds:.0f} s")
    elif ended.status not in fault.statuses:
        wrong.append(f"it ended with status {ended.status}: {ended.err.strip()[-300:]}")
    if ended.has_traceback:
        wrong.append(f"it printed a traceback: {(ended.out + ended.err)[-1500:]}")
    if fault.message not in ended.err:
        wrong.append(f"standard error does not contain {fault.message!r}, but: {ended.err.strip()[-300:]}")
    return wrong


def _lift(fault: Fault, trial: Trial, switches: Mapping[str, Any]) -> None:
    trial.sandbox.faults.clear()
    for name in fault.switches:
        default = type(trial.sandbox.behaviour)()
        setattr(trial.sandbox.behaviour, name, switches.get(name, getattr(default, name)))
    fault.lift(trial)


def _recovery_errors(fault: Fault, trial: Trial) -> list[str]:
    """Sync once more, and return what is wrong then, or was invalid on disk at any time."""
    last = trial.sync(*fault.again(trial))
    wrong = [f"once lifted: {line}" for line in (last.err.strip(),) if line]
    if last.status != 0:
        wrong.append(f"once lifted, the sync ended with status {last.status}")
    wrong += [f"once lifted: {fall}" for fall in trial.shortfalls()]
    wrong += [f"on disk: {violation}" for violation in dict.fromkeys(trial.violations)]
    wrong += [f"a temporary file is left: {path}" for path in sorted(trial.temporary.rglob("*")) if path.is_file()]
    return wrong
