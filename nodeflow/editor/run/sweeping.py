"""Many runs of the editor's graph: what is varied, the runs in the background, one of them opened.

What is asked for is an inert value, made by clicking settings and typing values. The runs are made
in threads of their own, and what there is of them can be looked at while they go on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nodeflow.declare import Setting
from nodeflow.editor.background import Cancelled, Job, Progress, fault_text
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.requests import ControlRun
from nodeflow.editor.state.runcommands import Go
from nodeflow.errors import NodeflowError, SweepError
from nodeflow.graph import Graph
from nodeflow.sweeps import Axis, Plan, Sweep, run_plan
from nodeflow.sweeps.axes import applied, is_idle
from nodeflow.sweeps.engine import processors
from nodeflow.sweeps.rows import Row, Rows
from nodeflow.workings.shown import duration

_KINDS = ("number", "integer", "flag", "choice")
_NEED_A_VALUE = ("constant",)
"""Choices that mean nothing by themselves."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A setting that can be varied, its present value, and values to begin with."""

    address: str
    value: str
    values: str


@dataclass(frozen=True)
class SweepForm:
    """What is to be run: settings with their values as typed, seeds, epochs, a condition."""

    varied: tuple[tuple[str, str], ...] = ()
    seeds: str = "10"
    epochs: str = ""
    until: str = ""

    def toggled(self, offer: Offer) -> SweepForm:
        """Return the form with one more setting varied, or one less."""
        if offer.address in dict(self.varied):
            return replace(self, varied=tuple(v for v in self.varied if v[0] != offer.address))
        return replace(self, varied=(*self.varied, (offer.address, offer.values)))

    def with_values(self, address: str, values: str) -> SweepForm:
        """Return the form with other values of a setting."""
        return replace(
            self,
            varied=tuple((one, values if one == address else was) for one, was in self.varied),
        )


def offers(editor: Editor) -> list[Offer]:
    """Return what can be varied: of selected nodes first, then what concerns training."""
    graph = editor.graph
    found = [Offer("training.batch", str(graph.training.batch), "1,10,all")]
    starts = [key for key in graph.parameters if graph.settings(key)["value"] is None]
    if len(starts) > 1:
        kinds = {graph.settings(key)["init"] for key in starts}
        now = kinds.pop() if len(kinds) == 1 else "several"
        found.append(Offer("*.init", now, "uniform,normal,glorot"))
    chosen: list[Offer] = []
    others: list[Offer] = []
    for key, node in graph.nodes.items():
        if node.known is None:
            continue
        settings = graph.settings(key)
        for setting in node.known.settings:
            if (
                setting.kind in _KINDS
                and not setting.later
                and not is_idle(graph, key, setting.name)
            ):
                offer = Offer(f"{key}.{setting.name}", _shown(settings[setting.name]),
                              _suggested(setting, settings[setting.name]))  # fmt: skip
                (chosen if key in editor.selection else others).append(offer)
    rates = [offer for offer in others if offer.address.endswith(".rate")]
    return [*chosen, *rates, *found, *(offer for offer in others if offer not in rates)]


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _suggested(setting: Setting, value: Any) -> str:
    """Return values to begin with, which the setting takes."""
    if setting.kind == "flag":
        return "false,true"
    if setting.kind == "choice":
        return ",".join(one for one in setting.choices if one not in _NEED_A_VALUE)
    if setting.kind == "integer":
        return ",".join(map(str, sorted({max(value // 2, 1), value, 2 * value} - {0})))
    if setting.name == "rate" and value > 0:
        return f"{value / 10:g}:{value * 10:g}:log5"
    values = [value / 2, value, 2 * value] if value else [0.0, 0.001, 0.01, 0.1]
    span = setting.range
    return ",".join(f"{one:g}" for one in values if span is None or span.holds(one))


def plan_of(graph: Graph, form: SweepForm) -> Plan:
    """Return the plan of a form; raises `SweepError`, one sentence."""
    axes = [Axis.read(f"{address}={values.strip()}") for address, values in form.varied]
    return Plan.of(
        graph, axes, seeds=_seeds(form.seeds), epochs=_epochs(form.epochs),
        until=form.until.strip() or None, curves=True,
    )  # fmt: skip


def _seeds(text: str) -> Sequence[int]:
    text = text.strip() or "1"
    values = Axis.read(f"seed={text}").values
    if "," not in text and ":" not in text and isinstance(values[0], int) and values[0] >= 0:
        return range(values[0])
    return values


def _epochs(text: str) -> int | None:
    if not text.strip():
        return None
    if not text.strip().isdecimal():
        raise SweepError(f"epochs are a whole number from 0, not '{text.strip()}'")
    return int(text.strip())


class Sweeping:
    """Runs that are made in threads of their own; what there is of them is always at hand."""

    def __init__(self, plan: Plan, workers: int | None = None) -> None:
        self.plan = plan
        self.problem = ""
        self._rows = Rows(len(plan), until=plan.until is not None)
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._ended: float | None = None
        # One processor is left to the window.
        self._workers = workers or max(1, processors() - 1)
        self._job = Job("many runs", self._work)

    @property
    def running(self) -> bool:
        """Whether more runs are to come."""
        return self._ended is None

    @property
    def done(self) -> int:
        """How many runs are over."""
        return len(self._rows)

    @property
    def status(self) -> str:
        """How it stands, in words."""
        done, count = self.done, len(self.plan)
        if self.problem:
            return self.problem
        if not self.running:
            seconds = (self._ended or self._began) - self._began
            return (
                f"{done:,} runs in {duration(seconds)}"
                if done == count
                else (f"stopped after {done:,} of {count:,} runs")
            )
        spent = time.monotonic() - self._began
        left = f", {duration(spent * (count - done) / done)} left" if done else ""
        return f"{done:,} of {count:,} runs{left}"

    def found(self) -> Sweep:
        """Return the runs that are over."""
        with self._lock:
            return Sweep(self.plan, self._rows.copy())

    def stop(self) -> None:
        """Make no more runs; those that are over stay."""
        self._job.cancel()

    def wait(self) -> None:
        """Wait until no run is under way."""
        self._job.done(None)

    def _work(self, progress: Progress) -> None:
        def take(row: Row) -> None:
            with self._lock:
                self._rows.add(row)
            progress(len(self._rows), len(self.plan))

        try:
            run_plan(self.plan, workers=self._workers, each=take)
        except Cancelled:
            pass
        except NodeflowError as error:
            self.problem = str(error)
        except Exception as error:  # noqa: BLE001  the thread must not end in silence
            self.problem = fault_text(error)
        finally:
            self._ended = time.monotonic()


def middle_run(found: Sweep, combination: int, measure: str) -> int:
    """Return the run of a combination that is in the middle by a measure."""
    seeds = len(found.plan.seeds)
    there = [
        (row.values[measure], number)
        for number, row in sorted(found.found.items())
        if number // seeds == combination and row.values.get(measure) is not None
    ]
    return sorted(there)[(len(there) - 1) // 2][1] if there else combination * seeds


def opened(editor: Editor, found: Sweep, number: int, epoch: int) -> Editor:
    """Return the editor with the graph of a run, which goes to an epoch of it.

    It can be undone. Where the graph was edited since, the run is of the graph as it was.
    """
    plan = found.plan
    combination, place = divmod(number, len(plan.seeds))
    graph = applied(plan.graph, plan.settings(combination))
    graph = replace(graph, training=replace(graph.training, seed=plan.seeds[place]))
    said = ", ".join(f"{name} {value}" for name, value in plan.settings(combination).items())
    status = f"{said}{', ' * bool(said)}seed {plan.seeds[place]}, epoch {epoch}"
    edited = editor.edited(graph, "a run of many")
    return edited.asking(ControlRun(Go(str(epoch)))).with_notice(status)


def written(found: Sweep, folder: Path, name: str) -> str:
    """Write the runs to a file by its ending; return what was written, in words."""
    if not name.strip():
        raise SweepError("the file needs a name, such as runs.csv or runs.html")
    path = Path(name.strip()).expanduser()
    files = found.save(path if path.is_absolute() else folder / path)
    return " and ".join(file.name for file in files)
