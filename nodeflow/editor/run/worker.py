"""What the thread of a session does: it plays a run, keeps it through edits, and tells of it.

Whatever happens to a graph, the editor lives on: what goes wrong with it is told as `problem`. It
raises an error only for a command that cannot be meant, such as a switch to a missing run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, assert_never

from nodeflow.editor.background import fault_text
from nodeflow.editor.run.edits import (
    computes_alike,
    trains_differently,
    what_changed,
    what_renamed,
)
from nodeflow.editor.run.lines import Lines
from nodeflow.editor.run.reports import where_it_dies, why_it_changed
from nodeflow.editor.run.runs import (
    FAULTS,
    at_fault,
    first_problem,
    made,
    port_meant,
    sentence,
)
from nodeflow.editor.run.telling import Teller
from nodeflow.editor.run.transport import Transport
from nodeflow.editor.state.kept import SavedTraining
from nodeflow.editor.state.live import NO_FAULTS, Live, Report
from nodeflow.editor.state.runcommands import (
    AddCondition,
    Answer,
    AnswerTask,
    Back,
    BeginLesson,
    CompareFuture,
    EndLesson,
    ExplainChange,
    ExplainVanishingBlame,
    ForgetCondition,
    Go,
    LoopPlayback,
    Open,
    Pause,
    Play,
    Predict,
    Reset,
    Resume,
    RunCommand,
    SetSpeed,
    SetWeights,
    ShowCheck,
    SkipTask,
    Start,
    Step,
    Switch,
    TaskCommand,
    ToggleStop,
    Train,
    UnlockNode,
    Watch,
)
from nodeflow.engine.forking import SAME, Renaming
from nodeflow.errors import ConditionError, DataError, NodeflowError, RunError
from nodeflow.graph import Graph
from nodeflow.playback.state import ConditionFault

if TYPE_CHECKING:
    from nodeflow.editor.run.lecture import Lecture
    from nodeflow.playback.player import Player

_FRAME = 1 / 30
_SHARE = 20
"""Copying snapshots takes at most a twentieth of the time."""


class Worker(Transport):
    """A graph that is played, what becomes of its run when it is edited, and what is seen of it."""

    def __init__(self) -> None:
        super().__init__()
        self.faults = NO_FAULTS
        self.checks: Mapping[str, str] = {}
        self.price = ""
        """What the last gradient check cost."""
        self.lecture: Lecture | None = None
        self.lines = Lines()
        self._teller = Teller()

    def do(self, command: RunCommand) -> bool:
        """Do what is asked for; return whether it matters to who looks on."""
        match command:
            case Start(graph=graph, what=what):
                return self.start(graph, what)
            case Open(graph=graph):
                self.open(graph)
            case Resume(offer=offer):
                self.resume(offer)
            case SetWeights(weights=weights, what=what, before=before, after=after):
                self.set_weights(weights, what, before, after)
            case Train(epochs=epochs):
                self.train(epochs)
            case Play(speed=speed):
                self.play(speed)
            case Pause():
                self.pause()
            case Reset():
                self.reset()
            case Step(level=level):
                self.step(level)
            case Back(level=level):
                self.back(level)
            case Go(where=where):
                self.go(where)
            case LoopPlayback(level=level):
                self.loop(level)
            case SetSpeed(speed=speed):
                self.set_speed(speed)
            case ToggleStop(what=what):
                self.toggle_stop(what)
            case AddCondition(text=text):
                self.add_condition(text)
            case ForgetCondition(text=text):
                self.forget_condition(text)
            case Watch(address=address):
                self.watch(address)
            case Switch(line=line):
                self.switch(line)
            case CompareFuture(line=line):
                self.compare(line)
            case Predict():
                self.predict()
            case Answer(text=text):
                self.answer(text)
            case ExplainChange(node=node):
                self.why(node)
            case ExplainVanishingBlame():
                self.vanishing_blame()
            case ShowCheck(graph=graph, checks=checks, price=price, problem=problem):
                self.checked(graph, checks, price, problem)
            case BeginLesson(graph=graph):
                self.begin_lesson(graph)
            case EndLesson():
                self.end_lesson()
            case AnswerTask() | SkipTask() | UnlockNode():
                self.task(command)
            case _:
                assert_never(command)
        return True

    # -- the graph

    def open(self, graph: Graph) -> None:
        """Take the graph of another document: nothing of the run before is kept."""
        self.graph, self.checks, self.price, self.lecture = graph, {}, "", None
        self.lines.past.clear()
        self.shown.watched, self.shown.watch_fault, self.shown.report = (), "", None
        self._restart(stops=False)

    def start(self, graph: Graph, what: str = "") -> bool:
        """Take another graph, and go on with it if that can be; return whether it matters."""
        before, self.graph = self.graph, graph
        if before is not None and computes_alike(before, graph):
            if self._returns(graph):
                return True
            self._keep_graph()
            return False
        rename = None if before is None else what_renamed(before, graph)
        if rename is not None and self._carries(graph, rename):
            return True
        self.checks = {}
        self.shown.returned = self.shown.condition_fault = None
        self.shown.watch_fault = ""
        if not (self._carries(graph) or self._goes_back(graph) or self._goes_on(graph, what)):
            self._put_aside("" if before is None else what_changed(before, graph) or what)
            self._restart()
        return True

    def _keep_graph(self) -> None:
        """Note which graph each future has: all have what was added without training anew."""
        if self.player is not None and self.graph is not None:
            self.lines.keep(self.player, self.graph)

    def _returns(self, graph: Graph) -> bool:
        """Return to the future whose weights were left when others were set by hand.

        The graph is the same in both, but another object: undo and redo bring it back.
        """
        number = None if self.player is None else self.lines.other_of(self.player, graph)
        if number is None:
            return False
        self._switch(number)
        return True

    def _carries(self, graph: Graph, rename: Renaming = SAME) -> bool:
        """Go on as it was with a graph that trains alike; return whether it does.

        A new node that cannot be evaluated beside the others is left out. A node that was renamed
        keeps all that is known of it.
        """
        player, problem = self.player, ""
        if player is None or (rename is SAME and trains_differently(player.run, graph)):
            return False
        known, per_epoch = player.run.graph.nodes, player.schedule.steps_per_epoch
        for _ in range(FAULTS):
            try:
                player.carry(graph, rename)
            except NodeflowError as error:
                key = at_fault(error, graph)
                if not key and isinstance(error, DataError):  # as many rows as the others'
                    key = next((k for k in graph.datasets if k not in known), "")
                if not key or key in known or graph.nodes[key].mode == "disable":
                    return False
                problem = problem or sentence(error)
                graph = graph.with_mode(key, "disable")
                continue
            except Exception as error:  # noqa: BLE001  it goes on from the start
                self._goes_wrong(error)
                return False
            self._recount(per_epoch)
            self._rename(rename)
            self._keep_graph()
            self.problem, self.shown.mark = problem or first_problem(player.run), None
            self._ask()
            self._touched()
            return True
        return False

    def _rename(self, rename: Renaming) -> None:
        """Show what was shown of a node under its new id."""

        def now(address: str) -> str:
            key, _, port = address.rpartition(".")
            return f"{rename.now(key)}.{port}"

        if rename is not SAME:
            self.shown.watched = tuple(map(now, self.shown.watched))
            self.checks = {rename.now(key): said for key, said in self.checks.items()}
            if self.shown.report is not None:
                self.shown.report = replace(
                    self.shown.report, node=rename.now(self.shown.report.node)
                )

    @staticmethod
    def _goes_wrong(error: Exception) -> None:
        """Log a fault of nodeflow itself; that a graph cannot be taken over is none."""
        if not isinstance(error, NodeflowError):
            fault_text(error)

    def _recount(self, per_epoch: int) -> None:
        """Count the end of the training in the steps of the present graph."""
        player = self.player
        if player is not None and player.schedule.steps_per_epoch != per_epoch:
            steps = player.schedule.steps_per_epoch
            self._target = round(self._target / max(per_epoch, 1)) * steps
            self.shown.compared = None

    def _goes_back(self, graph: Graph) -> bool:
        """Return to the future that has this graph, as undo brings it; return whether so."""
        number = None if self.player is None else self.lines.like(self.player, graph)
        if number is not None:
            self._switch(number)
            return True
        player = self.lines.trained_with(graph)
        if player is not None:
            self._return_to(player, graph)
        return player is not None

    def _put_aside(self, what: str = "", *, left: bool = False) -> None:
        """Keep what was trained so far: it can be returned to."""
        if self.player is not None:
            self.lines.put_aside(self.player, what, left=left)

    def _return_to(self, player: Player, graph: Graph) -> None:
        """Go on with a player that was put aside, on the line that has a graph."""
        self._put_aside()
        self.lines.take_out(player)
        self.player, self.state, self.problem = player, "paused", ""
        self._target = player.number
        self._forget_shown()
        if not computes_alike(self.lines.graph_of(player.line), graph):
            number = self.lines.like(player, graph)
            if number is not None:
                player.switch(number)
        self._ask()
        self._touched()

    def _forget_shown(self) -> None:
        """Forget what was shown of another run."""
        self.shown.compared = self.shown.mark = None
        self.shown.returned = self.shown.condition_fault = None

    def _goes_on(self, graph: Graph, what: str) -> bool:
        """Go on with a changed graph; return whether that can be."""
        player = self.player
        if player is None:
            return False
        per_epoch = player.schedule.steps_per_epoch
        try:
            player.change(graph, what)
            if player.run.position.place == 0:
                player.run.evaluate()  # what is changed is seen before the next step
        except Exception as error:  # noqa: BLE001  it goes on from the start
            self._goes_wrong(error)
            return False
        self._recount(per_epoch)
        self._keep_graph()
        if player.line.before is not None:
            old = self.lines.graph_of(player.line.before)
            player.line.what = what_changed(old, graph) or what
        self.problem, self.shown.mark = first_problem(player.run), None
        self._ask()
        self._touched()
        return True

    def resume(self, offer: SavedTraining) -> None:
        """Go on with the training that a run file holds, from where it was saved."""
        if self.graph is None:
            return
        self._put_aside("go on with earlier training", left=True)
        self._restart()
        player = self.player
        if player is None:
            return
        run, meta = player.run, offer.meta
        epochs = int(meta.get("epochs", len(offer.history)))
        update = int(meta.get("updates", epochs * run.updates_per_epoch))
        alike = (meta.get("seed"), meta.get("batch")) == (run.machine.seed, run.batch)
        run.resume(
            update,
            offer.weights,
            offer.history,
            meta.get("tallies", ()),
            straight=bool(meta.get("straight", False)) and alike,
        )
        run.evaluate()
        player.line.reach = player.number
        self.state, self._jumped, self._target = "paused", True, player.number
        self._ask()
        self._touched()

    def set_weights(
        self, weights: Mapping[str, Any], what: str, before: Graph, after: Graph
    ) -> None:
        """Put values into parameters at this moment: another future begins.

        The graph is the same `after` it as `before`, but another object.
        """
        player = self.player
        if player is None:
            return
        left = player.line
        self._do(lambda: player.set_weights(weights, what))
        self._jumped = player.run.position.place == 0
        self.lines.note(left, before)
        self.lines.note(player.line, after)
        self.graph = after

    # -- reports

    def why(self, node: str) -> None:
        """Tell which samples moved a parameter's number that changed most lately."""
        self._report(lambda player: why_it_changed(player, node))

    def vanishing_blame(self) -> None:
        """Tell where blame dies in the network, with the numbers of the present pass."""
        self._report(where_it_dies)

    def _report(self, asked: Callable[[Player], Report]) -> None:
        """Tell a report on the run, or why there is none."""
        player = self.player
        if player is None:
            return
        if self.running:
            self.pause()
        self.problem = ""
        try:
            self.shown.report = asked(player)
        except NodeflowError as error:
            self.problem = str(error)
        self._touched()

    def reset(self) -> None:
        """Begin again with the graph; what was trained can be returned to."""
        if self.graph is not None:
            self._put_aside("reset", left=True)
            self._restart()

    def _restart(self, *, stops: bool = True) -> None:
        """Play from the start; of the same document as fast as before, and to the same stops."""
        from nodeflow.playback.player import Player

        faults: dict[str, str] = {}
        run, self.problem = (None, "") if self.graph is None else made(self.graph, faults)
        self.faults = faults or NO_FAULTS
        old = self.player
        self.player = None if run is None else Player(run)
        if old is not None and self.player is not None and stops:
            self.player.speed, self.player.stops = old.speed, old.stops
            self.player.stops.keep_known(self.player.run)
        self.state, self._target = "still", 0
        self._forget_shown()
        self._keep_graph()
        self._ask()
        self._touched()

    # -- stops, lines and questions

    def toggle_stop(self, what: str) -> None:
        """Set or take away a breakpoint."""
        self._with_player(lambda player: player.stops.toggle(player.run, what))

    def add_condition(self, text: str) -> None:
        """Stop when a condition becomes true."""
        self.shown.condition_fault = None
        self._with_player(lambda player: player.stops.add(player.run, text))

    def forget_condition(self, text: str) -> None:
        """Take a condition away."""
        self._with_player(lambda player: player.stops.forget(text))

    def loop(self, level: str | None) -> None:
        """Play the present sample, update, … over and over."""
        self._with_player(lambda player: player.loop(level))

    def watch(self, address: str) -> None:
        """Show or hide the last values of a port; a node stands for its first."""

        def toggle(player: Player) -> None:
            known = self.shown.watched
            found = address if address in known else port_meant(player.run, address)
            others = tuple(other for other in known if other != found)
            self.shown.watched = others if found in known else (*known, found)

        self.shown.watch_fault = ""
        if self.player is not None:
            try:
                toggle(self.player)
            except RunError as error:
                self.shown.watch_fault = str(error)
            self._touched()

    def switch(self, line: int) -> None:
        """Go over to another future, with the settings that it has."""
        left, player = self.graph, self.player
        if not 0 <= line < (0 if player is None else len(player.lines)) + len(self.lines.past):
            raise RunError(f"there is no run {line}")
        if player is not None and line >= len(player.lines):
            other = self.lines.past[line - len(player.lines)]
            self.graph = self.lines.graph_of(other.line)
            self._return_to(other, self.graph)
        else:
            self._switch(line)
        if left is not None and self.graph is not None and self.graph is not left:
            self.shown.returned = left, self.graph

    def _switch(self, line: int) -> None:
        self.shown.compared = self.shown.returned = None
        player = self.player
        if player is not None:
            self._do(lambda: player.switch(line))
            self.graph = self.lines.given(player.line) or self.graph

    def compare(self, line: int | None) -> None:
        """Show the differences to another future; None hides them."""
        if line is not None and line < 0:
            raise RunError(f"there is no run {line}: they are counted from 0")
        if line is not None and self.player is not None and line >= len(self.player.lines):
            self.problem = "that run began apart: no value can be compared with it"
            line = None
        self.shown.compared = line
        self._touched()

    def show_less(self) -> None:
        """Compare and watch nothing: what was shown cannot be."""
        self.shown.compared, self.shown.watched = None, ()
        self._touched()

    def _with_player(self, what: Callable[[Player], object]) -> None:
        if self.player is not None:
            self.problem = ""
            try:
                what(self.player)
            except ConditionError as error:
                self.shown.condition_fault = ConditionFault(error.text, error.position, error.why)
            except NodeflowError as error:
                self.problem = str(error)
            self._touched()

    def checked(self, graph: Graph, checks: Mapping[str, str], price: str, problem: str) -> None:
        """Take the outcome of a gradient check, if it is still of this graph."""
        if self.graph is not None and computes_alike(graph, self.graph):
            self.checks, self.price = checks, price
            self.problem = problem or self.problem

    # -- a lesson

    def begin_lesson(self, graph: Graph) -> None:
        """Begin the lesson in a graph."""
        from nodeflow.editor.run.lecture import Lecture

        self.end_lesson()
        self.lecture = Lecture(graph)

    def end_lesson(self) -> None:
        """Leave the lesson, done or not."""
        if self.lecture is not None:
            self.lecture.leave()
        self.lecture = None
        self._touched()

    def task(self, command: TaskCommand) -> None:
        """Have an answer to the present task marked, skip it, or unlock a node."""
        self.pause()
        if self.lecture is not None:
            self.lecture.do(command)
            self._touched()

    # -- telling

    def live(self) -> Live:
        """Return how all stands, with a snapshot of the run."""
        if self.lecture is not None and self.lecture.follow(self.graph, self.player):
            self._touched()
        if self._live is None and self.player is not None:
            began = time.thread_time()  # on a busy machine the clock would count others' time
            self._live = self._held(self.player)
            spent = time.thread_time() - began
            self._next_frame = time.perf_counter() + max(_FRAME, _SHARE * spent)
        held = self._live or Live()
        return replace(
            held, state=self.state, problem=self.problem, checks=self.checks, price=self.price,
            faults=self.faults,
            lesson=None if self.lecture is None else self.lecture.progress,
        )  # fmt: skip

    def _held(self, player: Player) -> Live:
        self._look_ahead(player)
        training = self.state == "training"
        return self._teller.held(player, self.shown, self.lines, training=training)

    def _look_ahead(self, player: Player) -> None:
        """Where it was trained or gone to at full speed, find the numbers of the weights of now.

        Those in the cells are of the weights before the last update, so that nothing on the screen
        would fit together. After a step they stay, for they are what the step is about. A run that
        was taken over into an edited graph, or gone back to, may hold none: they are found as well.
        """
        run = player.run
        wanted = self._jumped or self.state == "training" or not run.reader.evaluated_once
        if wanted and run.position.place == 0 and run.order and not run.reader.is_ahead:
            with suppress(NodeflowError):  # what failed is told where it is stepped
                run.evaluate()
