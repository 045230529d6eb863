"""One fault, and how a sync stands it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from recall_pipeline.days import utc_now
from recall_pipeline_tests.chaos.trials import Ended, Running, ShiftedClock, Trial, small_world
from recall_sandbox import Rule, Sandbox

PAGE_SIZE = 3
Strike = Callable[[Trial], Iterable[Rule]]


def of(*rules: Rule) -> Strike:
    """Strike with the same rules wherever."""
    return lambda _: rules


def _alone(_: Trial, __: Running) -> bool:
    """Leave it to the rules."""
    return True


def _nothing(_: Trial) -> None:
    """Leave nothing to lift."""


def _unarmed(_: Trial) -> Iterable[Rule]:
    """Strike with something else than rules."""
    return ()


def _plainly(_: Trial) -> tuple[str, ...]:
    """Sync the day, and no more."""
    return ()


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and what has to come of it.

    `strike` prepares it, and returns the rules for the sandbox; `during` acts on the running sync, and says whether it
    could; `lift` ends what `strike` began. `statuses`: the exit statuses that fit; a sync that ends with 0 has to be
    complete already unless it `may_miss`. `says` has to be read on standard error. `again`: arguments of the sync that
    mends it.
    """

    name: str
    strike: Strike = _unarmed
    during: Callable[[Trial, Running], bool] = _alone
    lift: Callable[[Trial], None] = _nothing
    statuses: tuple[int, ...] = (0,)
    says: str = ""
    may_miss: bool = False
    again: Callable[[Trial], tuple[str, ...]] = _plainly
    settings: Mapping[str, str] = field(default_factory=dict)
    switches: Mapping[str, Any] = field(default_factory=dict)
    handicap: Callable[[Trial], tuple[str, ...]] = _plainly
    talk_seconds: float = 4
    bound_seconds: float = 300


@dataclass(frozen=True)
class Verdict:
    """What came of a trial: how the sync under the fault ended, and whatever was not as it has to be."""

    fault: str
    status: int | None
    seconds: float
    said: str
    wrong: Sequence[str]

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def attempt(fault: Fault, folder: Path) -> Verdict:
    """Let a sync meet the fault, and one more sync mend what it left."""
    day = utc_now().date() - timedelta(days=1)
    world = small_world(day, talk_seconds=fault.talk_seconds)
    switches = {"list_per_minute": None, "object_per_minute": None, "page_size": PAGE_SIZE, "repeat_rows": 1}
    clock = ShiftedClock()
    with Sandbox(world, clock=clock, **{**switches, **fault.switches}).running() as sandbox:
        trial = Trial(folder, sandbox, day, clock)
        rules = [sandbox.faults.add(rule) for rule in fault.strike(trial)]
        running = trial.start(handicap=fault.handicap(trial), **fault.settings)
        happened = fault.during(trial, running)
        ended = trial.end(running, fault.bound_seconds)
        wrong = [] if happened else ["what was to happen meanwhile did not, or not well"]
        wrong += [f"the fault did not strike: {rule}" for rule in rules if not sandbox.faults.applied(rule)]
        wrong += _unfit(fault, ended)
        if ended.status == 0 and not fault.may_miss:
            wrong += [f"the sync said all is well: {fall}" for fall in trial.shortfalls()]
        _lift(fault, trial, switches)
        wrong += _mended(fault, trial)
    lines = ended.err.strip().splitlines()
    return Verdict(fault.name, ended.status, round(ended.seconds, 1), lines[0] if lines else "", wrong)


def _unfit(fault: Fault, ended: Ended) -> list[str]:
    """Say what was not fit in how the sync under the fault ended."""
    wrong = []
    if ended.status is None:
        wrong.append(f"it hung for {fault.bound_seconds:.0f} s")
    elif ended.status not in fault.statuses:
        wrong.append(f"it ended with status {ended.status}: {ended.err.strip()[-300:]}")
    if ended.has_traceback:
        wrong.append(f"it printed a traceback: {(ended.out + ended.err)[-1500:]}")
    if fault.says not in ended.err:
        wrong.append(f"it did not say {fault.says!r}, but: {ended.err.strip()[-300:]}")
    return wrong


def _lift(fault: Fault, trial: Trial, switches: Mapping[str, Any]) -> None:
    trial.sandbox.faults.clear()
    for name in fault.switches:
        default = type(trial.sandbox.behaviour)()
        setattr(trial.sandbox.behaviour, name, switches.get(name, getattr(default, name)))
    fault.lift(trial)


def _mended(fault: Fault, trial: Trial) -> list[str]:
    """Sync once more, and say what is not in order then, or was untrue at any moment."""
    last = trial.sync(*fault.again(trial))
    wrong = [f"once lifted: {line}" for line in (last.err.strip(),) if line]
    if last.status != 0:
        wrong.append(f"once lifted, the sync ended with status {last.status}")
    wrong += [f"once lifted: {fall}" for fall in trial.shortfalls()]
    wrong += [f"on disk: {lie}" for lie in dict.fromkeys(trial.false)]
    wrong += [f"a temporary file is left: {path}" for path in sorted(trial.temporary.rglob("*")) if path.is_file()]
    return wrong
