"""What the thread of a session does: it plays a run, and tells how that stands.

No error leaves it: whatever happens to a graph, the editor lives on.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, assert_never
from weakref import WeakKeyDictionary

import numpy as np

from nodeflow.difference import difference
from nodeflow.editor.background import fault_text
from nodeflow.editor.state.kept import SavedTraining
from nodeflow.editor.state.model import NO_FAULTS, Live, Report
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
from nodeflow.errors import ConditionError, DataError, NodeflowError, RunError, nearest
from nodeflow.graph import Graph
from nodeflow.playback.state import ConditionFault, Future

if TYPE_CHECKING:
    from nodeflow.editor.run.lecture import Lecture
    from nodeflow.engine.run import Run
    from nodeflow.playback.player import Line, Player

_SLICE = 0.025
"""Seconds of training between two looks at the commands."""
_FRAME = 1 / 30
_SHARE = 20
"""Copying a snapshot takes at most one part in so many of the time."""
_PAST = 6
"""So many runs of other graphs are kept."""
_LATELY = 10
"""Of so many epochs it is told why a weight changed."""
_REASONS = 12
_ROOM = 500_000_000
"""Memory that the values of a run may take in the editor, in bytes: it shows them all. A graph that
was only opened takes no more; `nodeflow train` does."""
_FAULTS = 16
"""So many nodes that fail are left out, one after the other, before nothing is evaluated."""


class Worker:
    """A graph that is played, and what a person wants to see of it."""

    def __init__(self) -> None:
        self.graph: Graph | None = None
        self.player: Player | None = None
        self.state = "still"
        self.problem = ""
        self.faults = NO_FAULTS
        self.checks: Mapping[str, str] = {}
        self.lecture: Lecture | None = None
        self.price = ""
        """What the last gradient check cost."""
        self._target = 0
        self._at_target = "done"
        self._graphs: WeakKeyDictionary[Line, Graph] = WeakKeyDictionary()
        """The graph of each future, as it was given."""
        self._returned: tuple[Graph, Graph] | None = None
        self.past: list[Player] = []
        """What was trained with other graphs of this document, the newest first."""
        self._whys: WeakKeyDictionary[Player, str] = WeakKeyDictionary()
        """What ended each of them."""
        self._watched: tuple[str, ...] = ()
        self._sparks: tuple[tuple[object, ...], dict[str, Any]] = (), {}
        self._compared: int | None = None
        self._fault: ConditionFault | None = None
        self._watch_fault = ""
        self._question: Any = None
        self._mark: Any = None
        self._last_report: Report | None = None
        """The account that was asked for last."""
        self._jumped = False
        """Whether it came here at full speed, and not by steps that somebody follows."""
        self._clock = 0.0
        self._next_frame = 0.0
        self._names: tuple[Run, Any] | None = None
        self._live: Live | None = None  # what the run holds, until it is touched

    @property
    def running(self) -> bool:
        """Whether time matters to it."""
        return self.state in ("training", "playing")

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
        self.graph, self._watched, self.checks, self._watch_fault = graph, (), {}, ""
        self.past.clear()
        self.lecture = self._last_report = None
        self.price = ""
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
        self.checks, self._returned, self._fault, self._watch_fault = {}, None, None, ""
        if not (self._carries(graph) or self._goes_back(graph) or self._goes_on(graph, what)):
            self._put_aside("" if before is None else what_changed(before, graph) or what)
            self._restart()
        return True

    def _keep_graph(self) -> None:
        """Note which graph each future has: all have what was added without training anew."""
        player, graph = self.player, self.graph
        if player is None or graph is None:
            return
        self._graphs[player.line] = graph
        for line in player.lines:
            if self._graph_of(line).nodes.keys() != graph.nodes.keys():
                self._graphs[line] = line.run.graph

    def _returns(self, graph: Graph) -> bool:
        """Return to the future whose weights were left when others were set by hand.

        The graph is the same in both, but another object: undo and redo bring it back.
        """
        player = self.player
        if player is None or self._graphs.get(player.line) is graph:
            return False
        for number, line in enumerate(player.lines):
            if line is not player.line and self._graphs.get(line) is graph:
                self._switch(number)
                return True
        return False

    def _carries(self, graph: Graph, rename: Renaming = SAME) -> bool:
        """Go on as it was with a graph that trains alike; return whether it does.

        A new node that cannot be evaluated beside the others is left out. A node that was renamed
        keeps all that is known of it.
        """
        player, problem = self.player, ""
        if player is None or (rename is SAME and trains_differently(player.run, graph)):
            return False
        known = player.run.graph.nodes
        for _ in range(_FAULTS):
            per_epoch = player.schedule.steps_per_epoch
            try:
                player.carry(graph, rename)
            except NodeflowError as error:
                key = _at_fault(error, graph)
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
            self.problem, self._mark = problem or first_problem(player.run), None
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
            self._watched = tuple(map(now, self._watched))
            self.checks = {rename.now(key): said for key, said in self.checks.items()}
            if self._last_report is not None:
                self._last_report = replace(
                    self._last_report, node=rename.now(self._last_report.node)
                )

    @staticmethod
    def _goes_wrong(error: Exception) -> None:
        """Have a fault of nodeflow's own in the log; another graph's training is none."""
        if not isinstance(error, NodeflowError):
            fault_text(error)

    def _recount(self, per_epoch: int) -> None:
        """Count the end of the training in the steps of the present graph."""
        player = self.player
        if player is not None and player.schedule.steps_per_epoch != per_epoch:
            steps = player.schedule.steps_per_epoch
            self._target = round(self._target / max(per_epoch, 1)) * steps
            self._compared = None

    def _goes_back(self, graph: Graph) -> bool:
        """Return to the future that has this graph, as undo brings it; return whether so."""
        lines = [] if self.player is None else self.player.lines
        for number, line in enumerate(lines):
            if computes_alike(self._graph_of(line), graph):
                self._switch(number)
                return True
        for player in self.past:
            if any(computes_alike(self._graph_of(line), graph) for line in player.lines):
                self._return_to(player, graph)
                return True
        return False

    def _graph_of(self, line: Line) -> Graph:
        return self._graphs.get(line, line.run.graph)

    def _put_aside(self, what: str = "") -> None:
        """Keep what was trained with another graph: it can be returned to."""
        player = self.player
        if player is not None and what:
            self._whys[player] = f"before: {what}"
        if player is not None and any(line.reach for line in player.lines):
            player.pause()
            self.past = [player, *(other for other in self.past if other is not player)][:_PAST]

    def _return_to(self, player: Player, graph: Graph) -> None:
        """Go on with a player that was put aside, on the line that has a graph."""
        self._put_aside()
        self.past = [other for other in self.past if other is not player]
        self.player, self.state, self.problem = player, "paused", ""
        self._target = player.number
        self._compared = self._mark = self._returned = self._fault = None
        for number, line in enumerate(player.lines):
            if line is not player.line and computes_alike(self._graph_of(line), graph):
                player.switch(number)
                break
        self._ask()
        self._touched()

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
            old = self._graphs.get(player.line.before, player.line.before.run.graph)
            player.line.what = what_changed(old, graph) or what
        self.problem, self._mark = first_problem(player.run), None
        self._ask()
        self._touched()
        return True

    def resume(self, offer: SavedTraining) -> None:
        """Go on with the training that a run file holds, from where it was saved."""
        if self.graph is None:
            return
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
        self._graphs[left], self._graphs[player.line], self.graph = before, after, after

    # -- accounts

    def why(self, node: str) -> None:
        """Tell which samples moved a parameter's number that changed most lately."""
        from nodeflow.explain.tracing import why

        def asked(player: Player) -> Report:
            run, address = player.run, f"{node}.value"
            last, number = run.epoch, player.number
            first = max(last - _LATELY, run.schedule.epoch(run.born))
            if first == last:
                raise RunError("nothing has changed yet: train an epoch first", node=node)
            if address not in run.weights:
                raise RunError(f"'{node}' has no weight that is trained", node=node)
            try:
                run.goto(epoch=last)
                after = run.weights[address]
                run.goto(epoch=first)
                moved = np.abs(after - run.weights[address])
            finally:
                run.seek(run.schedule.position(number))
            index = tuple(int(i) for i in np.unravel_index(int(np.argmax(moved)), moved.shape))
            found = why(run, address, index, (first, last))
            return Report(node, "Why it changed", tuple(found.sentences()))

        self._report(asked)

    def vanishing_blame(self) -> None:
        """Tell where blame dies in the network, with the numbers of the present pass."""
        from nodeflow.explain.dying import where_blame_dies

        def asked(player: Player) -> Report:
            run, number = player.run, player.number
            apart = run.fork()  # with numbers of one pass alone
            run.seek(run.schedule.position(number))
            apart.evaluate()
            found = where_blame_dies(apart)
            lines = tuple(reason.text for reason in found[:_REASONS])
            more = len(found) - _REASONS
            lines += (f"and {more} more",) if more > 0 else ()
            said = lines or ("blame comes through every neuron",)
            return Report("", f"Where blame dies, after {player.run.epoch} epochs", said)

        self._report(asked)

    def _report(self, asked: Callable[[Player], Report]) -> None:
        """Tell an account of the run, or why there is none."""
        player = self.player
        if player is None:
            return
        if self.running:
            self.pause()
        self.problem = ""
        try:
            self._last_report = asked(player)
        except NodeflowError as error:
            self.problem = str(error)
        self._touched()

    def reset(self) -> None:
        """Begin again with the graph."""
        if self.graph is not None:
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
        self._compared = self._mark = self._returned = self._fault = None
        self._keep_graph()
        self._ask()
        self._touched()

    def _touched(self) -> None:
        self._live = None

    # -- going

    def train(self, epochs: float | None) -> None:
        """Set out to train at full speed."""
        player = self.player
        if player is None or not learns(player.run):
            self.problem = self.problem or why_untrained(None if player is None else player.run)
            return
        self.problem = ""
        run, per_epoch = player.run, player.schedule.steps_per_epoch
        if epochs is None and player.number < self._target:
            epochs = 0  # the training that was paused has its end
        elif epochs is None:
            epochs = run.graph.training.epochs if self.graph is None else self.graph.training.epochs
        if epochs:
            ahead = min(run.epoch + epochs, 1e12)
            self._target = int(ahead) * per_epoch
        self._go_on(math.inf)

    def play(self, speed: float | None) -> None:
        """Set out to play in slow motion, at so many steps a second."""
        if speed is not None and not speed > 0:
            raise RunError(f"a speed is a number of steps a second above 0, not {speed:g}")
        player = self.player
        if player is None or not player.run.order:
            self.problem = self.problem or why_untrained(None if player is None else player.run)
            return
        self.problem = ""
        if player.number >= self._target:
            epochs = max(player.run.graph.training.epochs, 1)
            self._target = (player.run.epoch + epochs) * player.schedule.steps_per_epoch
        self._go_on(player.speed if speed is None else speed)

    def _go_on(self, speed: float) -> None:
        player = self.player
        if player is None:
            return
        self._at_target = "done"
        self._mark = self._question = None
        self._jumped = speed == math.inf
        self._touched()
        if player.number >= self._target:
            self.state = "done"
            return
        if speed < math.inf:
            player.speed = speed
        self.state = "playing" if speed < math.inf else "training"
        player.play(until=self._target)
        self._clock = time.perf_counter()

    def pause(self) -> None:
        """Stand still; the end of the training is remembered."""
        if self.running:
            self._stand("paused")
            self._ask()

    def _stand(self, state: str) -> None:
        self.state = state
        if self.player is not None:
            self.player.pause()
        self._touched()

    def set_speed(self, speed: float) -> None:
        """Play at so many steps a second from now on."""
        if not speed > 0:
            raise RunError(f"a speed is a number of steps a second above 0, not {speed:g}")
        if self.player is not None:
            self.player.speed = speed
            if self.running:
                self.state = "playing" if speed < math.inf else "training"
                self._jumped = speed == math.inf
            self._touched()

    def step(self, level: str) -> None:
        """Go on by one step of a level."""
        player = self.player
        if player is None:
            return
        if level == "epoch" and learns(player.run):
            # In slices, so that it can be paused as well.
            self._target = player.schedule.after("epoch", player.number)
            self._go_on(math.inf)
            self._at_target = "paused"
            return
        self._jumped = False
        self._do(lambda: player.step(level))

    def back(self, level: str) -> None:
        """Go back by one step of a level."""
        if self.player is not None:
            player = self.player
            self._jumped = False
            self._do(lambda: player.back(level))

    def go(self, where: int | str) -> None:
        """Go to a moment."""
        if self.player is not None:
            player = self.player
            self._do(lambda: player.go(where))
            self._jumped = player.schedule.begins("epoch", player.run.position)

    def _do(self, what: Any) -> None:
        """Do something with the player, and stand still after it."""
        self._stand("paused")
        self.problem, self._mark, self._question = "", None, None
        try:
            what()
        except Exception as error:  # noqa: BLE001  whatever it is, the editor lives on
            self.problem = sentence(error)
        self._ask()

    def passed(self) -> bool:
        """Let time pass; return whether it is time to tell of it."""
        player = self.player
        if player is None:
            self.state = "still"
            return True
        now = time.perf_counter()
        seconds, self._clock = now - self._clock, now
        try:
            moved = player.tick(seconds, _SLICE, full=self.state == "training")
        except Exception as error:  # noqa: BLE001  whatever it is, the editor lives on
            self.problem = sentence(error)
            self._stand("paused")
            return True
        if moved:
            self._touched()
        if not player.playing:
            at_end = player.number >= self._target
            self._stand(self._at_target if at_end else "paused")
            if not at_end and player.failed:
                self.problem = player.reason
            self._ask()
            return True
        return moved and time.perf_counter() >= self._next_frame

    @property
    def wait(self) -> float:
        """How many seconds there is nothing to do."""
        player = self.player
        if self.state != "playing" or player is None:
            return 0.0
        return min(player.due_in, 1 / 30)

    # -- stops, lines and questions

    def toggle_stop(self, what: str) -> None:
        """Set or take away a breakpoint."""
        self._with_player(lambda player: player.stops.toggle(player.run, what))

    def add_condition(self, text: str) -> None:
        """Stop when a condition becomes true."""
        self._fault = None
        self._with_player(lambda player: player.stops.add(player.run, text))

    def forget_condition(self, text: str) -> None:
        """Take a condition away."""
        self._with_player(lambda player: player.stops.forget(text))

    def loop(self, level: str | None) -> None:
        """Play the present sample, update, … over and over."""
        self._with_player(lambda player: player.loop(level))

    def watch(self, address: str) -> None:
        """Show the last values of a port (a node stands for its first), or no longer."""

        def toggle(player: Player) -> None:
            known = self._watched
            found = address if address in known else _port(player.run, address)
            others = tuple(other for other in known if other != found)
            self._watched = others if found in known else (*known, found)

        self._watch_fault = ""
        if self.player is not None:
            try:
                toggle(self.player)
            except RunError as error:
                self._watch_fault = str(error)
            self._touched()

    def switch(self, line: int) -> None:
        """Go over to another future, with the settings that it has."""
        left, player = self.graph, self.player
        if not 0 <= line < (0 if player is None else len(player.lines)) + len(self.past):
            raise RunError(f"there is no run {line}")
        if player is not None and line >= len(player.lines):
            other = self.past[line - len(player.lines)]
            self.graph = self._graph_of(other.line)
            self._return_to(other, self.graph)
        else:
            self._switch(line)
        if left is not None and self.graph is not None and self.graph is not left:
            self._returned = left, self.graph

    def _switch(self, line: int) -> None:
        self._compared = self._returned = None
        player = self.player
        if player is not None:
            self._do(lambda: player.switch(line))
            self.graph = self._graphs.get(player.line, self.graph)

    def compare(self, line: int | None) -> None:
        """Show the differences to another future, or no longer."""
        if line is not None and line < 0:
            raise RunError(f"there is no run {line}: they are counted from 0")
        if line is not None and self.player is not None and line >= len(self.player.lines):
            self.problem = "that run is of another network: no value can be compared with it"
            line = None
        self._compared = line
        self._touched()

    def show_less(self) -> None:
        """Compare and watch nothing: what was shown cannot be."""
        self._compared, self._watched = None, ()
        self._touched()

    def predict(self) -> None:
        """Stop before nodes to ask for their values, or no longer."""
        from nodeflow.playback.stops import ASKED

        if self.player is not None:
            self.player.stops.asking = not self.player.stops.asking
            if self.player.reason == ASKED:
                self.player.reason = ""
            self._mark = None
            self._ask()
            self._touched()

    def answer(self, text: str) -> None:
        """Mark a prediction by the step that reveals it; what cannot be read is asked again."""
        player, question = self.player, self._question
        if player is None or question is None:
            return
        mark: Any = None

        def reveal() -> None:
            nonlocal mark
            step = player.step()
            if step is not None:
                mark = question.mark(text, step)

        self._do(reveal)
        if mark is not None and mark.given is None:
            self._do(player.back)
        self._mark = mark

    def _ask(self) -> None:
        """Ask about the next node, if that is wanted."""
        from nodeflow.playback.predicting import ask, worth_asking

        player = self.player
        self._question = None
        if player is not None and player.stops.asking and not self.running:
            run = player.run
            if run.order and worth_asking(run, run.node):
                self._question = ask(run)

    def _with_player(self, what: Any) -> None:
        if self.player is not None:
            self.problem = ""
            try:
                what(self.player)
            except ConditionError as error:
                self._fault = ConditionFault(error.text, error.position, error.why)
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
        """Return what a run holds."""
        from nodeflow.engine.snapshot import Names, Snapshot

        run = player.run
        self._look_ahead(player)
        if self._names is None or self._names[0] is not run:
            self._names = run, Names.of(run)
        names = self._names[1]
        if self._question is not None:  # what stood there before may be the answer
            names = names.without(to_come(run))
        found = Snapshot.of(run, names)
        return Live(
            epoch=run.epoch,
            update=run.update,
            history=player.line.run.curve,
            values=found.values,
            gradients=found.gradients,
            weights=found.weights,
            ages=found.ages,
            gradient_ages=found.gradient_ages,
            samples=found.samples,
            report=self._last_report,
            memory=found.memory,
            reached={} if self.state == "training" else player.run.reached(),
            cost=_cost(run, found.values),
            cost_age=found.ages.get((run.plan.unfolding.cost or "").rpartition(".")[0], ""),
            rows=(run.schedule.rows, run.machine.test_rows),
            weights_before={}
            if run.position.place or run.reader.is_ahead
            else player.weights_before,
            others=self._other_histories(player),
            playback=self._playback(player),
        )

    def _look_ahead(self, player: Player) -> None:
        """Where it was trained or gone to at full speed, find the numbers of the weights of now.

        Those in the cells are of the weights before the last update, so that nothing on the screen
        would fit together. After a step they stay, for they are what the step is about.
        """
        run = player.run
        wanted = self._jumped or self.state == "training"
        if wanted and run.position.place == 0 and run.order and not run.reader.is_ahead:
            with suppress(NodeflowError):  # what failed is told where it is stepped
                run.evaluate()

    def _other_histories(self, player: Player) -> tuple[Any, ...]:
        """Return how the futures went that are not the present one."""
        return tuple(line.run.curve for line in player.lines if line is not player.line)

    def _playback(self, player: Player) -> Any:
        from nodeflow.playback.telling import state_of

        more = {
            "question": self._question,
            "mark": self._mark,
            "watched": self._sparklines(player),
            "condition_fault": self._fault,
            "watch_fault": self._watch_fault,
            "returned": self._returned,
        }
        line, training = self._compared, self.state == "training"
        if line is not None and line < len(player.lines):
            more["compared"] = line
            # Beyond its end there is nothing to compare with.
            if not training and player.lines[line].reach >= player.number:
                more["differences"] = player.compared(line)
        found = state_of(player, brief=training, **more)
        return replace(found, past=tuple(self._put_by(other) for other in self.past))

    def _put_by(self, player: Player) -> Future:
        """Return what is told of a run of another graph: its steps have another length."""
        what = self._whys.get(player) or "what was trained before"
        return Future(what, 0, player.line.reach, max(player.schedule.steps_per_epoch, 1))

    def _sparklines(self, player: Player) -> dict[str, Any]:
        """Return the last values of the watched ports; they are others after each update."""
        from nodeflow.playback.telling import sparklines

        slots = player.run.machine.tape.slots
        key = (player.line, player.run.update, self._watched)
        if self._sparks[0] != key:
            self._sparks = key, sparklines(player, (a for a in self._watched if a in slots))
        return self._sparks[1]


# --- runs ---------------------------------------------------------------------------------------


def made(graph: Graph, faults: dict[str, str] | None = None) -> tuple[Run | None, str]:
    """Return a run of the graph, evaluated once, and the first fault that was met.

    Nodes that fail are left out with all that hangs on them, and the rest is evaluated; `faults`
    takes why, by node.
    """
    from nodeflow.engine.run import Run

    problem = ""
    for _ in range(_FAULTS):
        try:
            run = Run(graph, strict=False, room=_ROOM)
            run.evaluate()
        except Exception as error:  # noqa: BLE001  whatever it is, the editor lives on
            problem = problem or sentence(error)
            key = _at_fault(error, graph)
            if not key or graph.nodes[key].mode == "disable":
                break
            if faults is not None:
                faults[key] = sentence(error)
            graph = graph.with_mode(key, "disable")
        else:
            return run, problem
    return None, problem


def _cost(run: Run, values: Mapping[str, Any]) -> float | None:
    """Return J of the batch in view, None while it is not known or not to be told."""
    return run.cost if run.plan.unfolding.cost in values else None


def _at_fault(error: Exception, graph: Graph) -> str:
    """Return the node of a graph that an error is about, "" if none is known."""
    key = str(getattr(error, "node", None) or "")
    while key and key not in graph.nodes:
        key = key.rpartition(".")[0]  # a node of the backward pass is called after it
    return key


def first_problem(run: Run) -> str:
    """Return why a node of the run is not evaluated, "" if all are."""
    problems = run.plan.inference.problems
    return str(problems[min(problems)]) if problems else ""


def trains_differently(run: Run, graph: Graph) -> bool:
    """Return whether it is plain that a graph trains in another way than a run does.

    That spares the making of a run where a setting is dragged.
    """
    before, training = run.graph, graph.training
    if (before.training.batch, before.training.seed, before.training.rate) != (
        training.batch, training.seed, training.rate,
    ):  # fmt: skip
        return True
    if before.nodes.keys() != graph.nodes.keys() or before.wires != graph.wires:
        return False
    trained, known = run.plan.trained, run.plan.graph.nodes
    return any(
        key in trained or key not in known
        for key, node in graph.nodes.items()
        if node != before.nodes[key]
    )


def what_renamed(before: Graph, after: Graph) -> Renaming | None:
    """Return which node has another id, if all else is the same."""
    gone, come = before.nodes.keys() - after.nodes.keys(), after.nodes.keys() - before.nodes.keys()
    if len(gone) != 1 or len(come) != 1:
        return None
    rename = Renaming(next(iter(gone)), next(iter(come)), before.nodes.keys())
    found = before.rename(rename.old, rename.new)
    alike = found.nodes == after.nodes and set(found.wires) == set(after.wires)
    return rename if alike and before.training == after.training else None


def computes_alike(before: Graph, after: Graph) -> bool:
    """Return whether two graphs compute the same: where nodes lie does not matter."""
    return before is after or (
        before.training.batch == after.training.batch
        and before.training.seed == after.training.seed
        and before.training.rate == after.training.rate
        and before.folder == after.folder
        and before.wires == after.wires
        and before.nodes == after.nodes
    )


def to_come(run: Run) -> set[str]:
    """Return the nodes that this pass has still to evaluate; what they are given is known."""
    graph = run.plan.graph
    rest = run.order[run.position.place :]
    return {key for key in rest if graph.type_of(key).family != "source"}


def what_changed(before: Graph, after: Graph) -> str:
    """Return the one change between two graphs in words; "" if there are several."""
    changes = [change.sentence for change in difference(before, after) if change.kind != "moved"]
    return changes[0] if len(changes) == 1 else ""


def _port(run: Run, address: str) -> str:
    """Return the output port that is meant; a node stands for its first one."""
    slots, nodes = run.machine.tape.slots, run.plan.graph.nodes
    if address in slots:
        return address
    known = nodes[address].known if address in nodes else None
    own = [] if known is None else [f"{address}.{port.name}" for port in known.outputs]
    found = next((port for port in own if port in slots), None)
    if found is None:
        raise RunError(f"there is no value '{address}'{nearest(address, slots)}")
    return found


def learns(run: Run) -> bool:
    """Return whether training would change anything."""
    return run.trains and bool(run.order)


def why_untrained(run: Run | None) -> str:
    """Return why there is nothing to train."""
    return (run and first_problem(run)) or (
        "there is nothing to train: the graph needs a trainer, and a cost that enters it"
    )


def sentence(error: Exception) -> str:
    """Return what to tell of an error; one that was not foreseen has its kind with it."""
    if isinstance(error, NodeflowError):
        return str(error)
    return fault_text(error)


__all__ = ["Worker"]
