"""What is told of a run that is played: its numbers, its lines, and what was asked to be seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nodeflow.editor.run.lines import Lines
from nodeflow.editor.state.live import Live, Report
from nodeflow.graph import Graph
from nodeflow.playback.state import ConditionFault, Playback

if TYPE_CHECKING:
    from nodeflow.engine.run import Run
    from nodeflow.engine.snapshot import Names
    from nodeflow.playback.player import Player
    from nodeflow.playback.predicting import Mark, Question


@dataclass
class Shown:
    """What is shown beside the run itself."""

    watched: tuple[str, ...] = ()
    watch_fault: str = ""
    compared: int | None = None
    """The line that the present one is compared with."""
    question: Question | None = None
    """What is asked about the next node."""
    mark: Mark | None = None
    """How the last prediction was marked."""
    report: Report | None = None
    """The report that was asked for last."""
    condition_fault: ConditionFault | None = None
    returned: tuple[Graph, Graph] | None = None
    """The graph that was left for another line, and that of this line."""


class Teller:
    """Finds what is told of a run, and keeps what need not be found again."""

    def __init__(self) -> None:
        self._sparks: tuple[tuple[object, ...], dict[str, Any]] = (), {}
        self._names: tuple[Run, Names] | None = None
        self._counting = ""

    def held(self, player: Player, shown: Shown, lines: Lines, *, training: bool) -> Live:
        """Return what a run holds."""
        from nodeflow.engine.snapshot import Names, Snapshot

        run = player.run
        if self._names is None or self._names[0] is not run:
            self._names = run, Names.of(run)
            self._counting = counting(run)
        names = self._names[1]
        if shown.question is not None:  # what stood there before may be the answer
            names = names.without(to_come(run))
        found = Snapshot.of(run, names)
        return Live(
            epoch=run.epoch,
            update=run.update,
            history=player.line.run.curve,
            line=player.line.serial,
            values=found.values,
            gradients=found.gradients,
            weights=found.weights,
            ages=found.ages,
            gradient_ages=found.gradient_ages,
            samples=found.samples,
            report=shown.report,
            memory=found.memory,
            reached=run.reached(),
            # J of the batch in view; None while it is not known, or not to be told.
            cost=run.cost if run.plan.unfolding.cost in found.values else None,
            cost_age=found.ages.get((run.plan.unfolding.cost or "").rpartition(".")[0], ""),
            counting=self._counting,
            rows=(run.schedule.rows, run.machine.test_rows),
            weights_before={}
            if run.position.place or run.reader.is_ahead
            else player.weights_before,
            others=tuple(line.run.curve for line in player.lines if line is not player.line),
            playback=self._playback(player, shown, lines, training=training),
        )

    def _playback(self, player: Player, shown: Shown, lines: Lines, *, training: bool) -> Playback:
        from nodeflow.playback.telling import state_of

        more: dict[str, Any] = {
            "question": shown.question,
            "mark": shown.mark,
            "watched": self._sparklines(player, shown.watched),
            "condition_fault": shown.condition_fault,
            "watch_fault": shown.watch_fault,
            "returned": shown.returned,
        }
        line = shown.compared
        if line is not None and line < len(player.lines):
            more["compared"] = line
            # Beyond its end there is nothing to compare with.
            if not training and player.lines[line].reach >= player.number:
                more["differences"] = player.compared(line)
        return replace(state_of(player, brief=training, **more), past=lines.futures())

    def _sparklines(self, player: Player, watched: tuple[str, ...]) -> dict[str, Any]:
        """Return the last values of the watched ports; they are others after each update."""
        from nodeflow.playback.telling import sparklines

        slots = player.run.machine.tape.slots
        key = (player.line, player.run.update, watched)
        if self._sparks[0] != key:
            self._sparks = key, sparklines(player, (a for a in watched if a in slots))
        return self._sparks[1]


def counting(run: Run) -> str:
    """Return the node whose hits are the accuracy of a run, if there are others; else ""."""
    hits, graph = run.plan.hits, run.plan.graph
    others = graph.where(lambda type_: type_.counts_hits)
    return hits.rpartition(".")[0] if isinstance(hits, str) and len(others) > 1 else ""


def to_come(run: Run) -> set[str]:
    """Return the nodes that this pass has still to evaluate; what they are given is known."""
    graph = run.plan.graph
    rest = run.order[run.position.place :]
    return {key for key in rest if graph.type_of(key).family != "source"}
