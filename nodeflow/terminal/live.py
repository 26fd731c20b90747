"""Slow motion by keys: a player in the terminal, its steps above, where it stands at the foot."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np
from rich.text import Text

from nodeflow.engine.schedule import LEVELS
from nodeflow.engine.snapshot import ages
from nodeflow.errors import ConditionError, NodeflowError
from nodeflow.playback.moments import described
from nodeflow.playback.player import Player
from nodeflow.playback.predicting import ask, worth_asking
from nodeflow.playback.stops import Seen
from nodeflow.terminal import look
from nodeflow.terminal.foot import Foot
from nodeflow.terminal.keys import CLOSED, Keys
from nodeflow.terminal.look import PHASE_COLOURS, PHASE_SIGNS
from nodeflow.terminal.prompt import NO_FAULT, Fault, Prompt
from nodeflow.terminal.steps import StepPrinter
from nodeflow.workings.shown import show

if TYPE_CHECKING:
    from nodeflow.engine.step import Step
    from nodeflow.playback.predicting import Mark, Question

SPEEDS = (0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 125, 250, 500, 1000, math.inf)
"""Steps a second, from one in four seconds to as fast as the machine can."""
_FRAME = 0.05
"""Seconds between two looks at the clock while it plays, and the time that playing may take."""
_READABLE = 64
"""Steps a second up to which each is shown; at a higher speed a line is shown now and then."""
_NOW_AND_THEN = 0.25
_TALKS_FROM = 80
_NARROW = 100
"""Below this width the status line is shortened."""
_LOW = 8
"""Rows of a terminal that is too low for more than one line at the foot."""
_KEYS_OF_LEVELS = {level[0]: level for level in LEVELS[1:]}
"""p, s, u and e; a step has keys of its own."""
_KEYS = (
    ("space", "play, pause"),
    ("→ n Enter", "a step on"),
    ("← b", "a step back"),
    ("p s u e", "on to the next phase, sample, update, epoch"),
    ("P S U E", "back to where it began"),
    ("+ −", "faster, slower"),
    ("g", "go to EPOCH[:SAMPLE[:NODE]], counted from 0"),
    ("c", "stop when a condition becomes true, such as cost < 0.01"),
    (".", "stop before the next node, or no longer"),
    ("x", "forget all that stops it"),
    ("l", "play this sample over and over, or go on"),
    ("r", "predict what comes out, then see"),
    ("q", "quit"),
)
_ALL_HINTS = (
    "space play · → step · ← back · psue on · PSUE back · + − speed · g go to · c stop when · "
    "r predict · ? keys · q quit"
)
_HINTS = (
    _ALL_HINTS,
    "space play · → step · ← back · psue on · + − speed · r predict · ? keys · q quit",
    "space play · → ← step · + − speed · ? keys · q quit",
    "space → ← + − ? q",
)


def play_live(player: Player, level: str, speed: float, until: int, *, every: bool = False) -> None:
    """Play until a person quits; raises `KeyboardInterrupt` at Ctrl-C.

    `every` writes out each number of a node, not the first alone.
    """
    Live(player, level, until, every=every).run(speed)


class Live:
    """A player in the terminal. Its moments are numbers of steps, as the player's."""

    def __init__(self, player: Player, level: str, until: int, *, every: bool = False) -> None:
        self.player, self.level, self.until = player, level, until
        self.out = look.console()
        self.foot = Foot(self.out)
        self.printer = StepPrinter(
            player.run, level, out=self.out, talks_from=_TALKS_FROM, every=every
        )
        self.prompt: Prompt | None = None
        self.message = ""
        """What the last key came to; the next one takes it away."""
        self.over = False
        self._goal: tuple[int, str] | None = None
        """The moment to which a key leads, and the level that was asked for."""
        self._begun: int | None = player.number
        """The moment of the last jump, if it is the start of a sample."""
        self._epoch = player.run.epoch
        """The epoch in which it was told last where it is."""
        self._told = player.number
        """The moment up to which steps were told."""
        self._noted: set[str] = set()
        """The rules of answering that were told already."""
        self._summed = 0.0
        self._due = 0.0
        self._actions = self._bound()

    # -- keys

    def _bound(self) -> dict[str, Callable[[], None]]:
        def on(level: str) -> Callable[[], None]:
            return lambda: self._go_on(level)

        def back(level: str) -> Callable[[], None]:
            return lambda: self._go_back(level)

        return {
            " ": self._play_or_pause,
            **dict.fromkeys(("right", "n", "enter"), on("step")),
            **dict.fromkeys(("left", "b"), back("step")),
            **{key: on(level) for key, level in _KEYS_OF_LEVELS.items()},
            **{key.upper(): back(level) for key, level in _KEYS_OF_LEVELS.items()},
            "+": lambda: self._change_speed(1),
            "=": lambda: self._change_speed(1),
            "-": lambda: self._change_speed(-1),
            "−": lambda: self._change_speed(-1),
            "g": self._ask_where,
            "c": self._ask_condition,
            ".": self._toggle_breakpoint,
            "x": self._forget_stops,
            "l": self._toggle_loop,
            "r": self._toggle_predicting,
            "?": self._help,
            "q": self._quit,
            CLOSED: self._quit,
        }

    def run(self, speed: float) -> None:
        """Play at so many beats a second, and do what the keys say, until one says to quit."""
        player = self.player
        player.speed = speed
        with Keys(self.foot.clear, self.foot.again) as keys:
            if player.number < self.until:
                player.play(until=self.until)
            then = time.perf_counter()
            while not self.over:
                self._draw()
                if key := keys.next(self._pause()):
                    self.press(key)
                now = time.perf_counter()
                self._pass(now - then)
                then = now

    def press(self, key: str) -> None:
        """Do what a key says."""
        if self.prompt is not None and key != CLOSED:
            prompt = self.prompt
            if prompt.press(key) and self.prompt is prompt:
                self.prompt = None
            return
        self.message = ""
        if self._goal is not None:
            self._arrive()
        self._actions.get(key, lambda: None)()

    def _pause(self) -> float:
        """Return how long there is time to wait for a key."""
        if self._goal is not None:
            return 0.0
        if not self.player.playing:
            return 0.5  # the terminal may get another size
        due = self.player.due_in if self._by_steps else (1 - self._due) / self.player.speed
        return min(_FRAME, max(due, 0.01))

    # -- going on

    def _pass(self, seconds: float) -> None:
        """Let time pass."""
        if self._goal is not None:
            self._run_until_goal()
        elif self.player.playing:
            if self._by_steps or self.player.speed == math.inf:
                self._play_steps(seconds)
            else:
                self._play_beats(seconds)
            self._end_playing()

    @property
    def _by_steps(self) -> bool:
        """Whether it is played step by step, and not in longer beats."""
        return self.level == "step" or self.player.looped is not None

    def _play_steps(self, seconds: float) -> None:
        player, before = self.player, self.player.number
        player.tick(seconds, _FRAME)
        if player.number < before and player.looped is not None:
            self._tell_again(player.looped)
        if player.speed > _READABLE:
            self._tell_now_and_then()
        elif player.number != self._told:
            self._tell_steps()

    def _play_beats(self, seconds: float) -> None:
        player = self.player
        self._due += seconds * player.speed
        end = time.perf_counter() + _FRAME
        while player.playing and self._due >= 1 and time.perf_counter() < end:
            self._due -= 1
            reached = self._safely(self._play_beat)
            if not reached or player.reason or player.number >= self.until:
                player.pause()
            if reached:
                self._tell(self.level)
        self._due = min(self._due, 1.0)  # what could not be kept is not made up for

    def _play_beat(self) -> bool:
        goal = self.player.schedule.after(self.level, self.player.number)
        return self.player.advance(min(goal, self.until))

    def _go_on(self, level: str) -> None:
        player = self.player
        player.pause()
        if not self._asks():
            self._catch_up()
            self._goal = player.schedule.after(level, player.number), level
            self._run_until_goal()

    def _run_until_goal(self) -> None:
        """Go on to the goal for as long as a frame lasts."""
        if self._goal is not None:
            goal, _ = self._goal
            if self._safely(lambda: self.player.advance(goal, _FRAME)) is not False:
                self._arrive()

    def _arrive(self) -> None:
        """Stand still at the goal, or where a stop or a key has come before it."""
        if self._goal is not None:
            goal, level = self._goal
            self._goal = None
            if self.player.number == goal:
                self._tell(level)
            self._stopped()

    def _play_or_pause(self) -> None:
        player = self.player
        if player.playing:
            player.pause()
            self._catch_up()
        elif not self._asks():
            if player.number >= self.until:
                epochs = max(player.run.graph.training.epochs, 1)
                more = player.number + epochs * player.schedule.steps_per_epoch
                self.until = player.end if player.number < player.end else more
            self._due = 0.0
            player.play(until=self.until)

    def _end_playing(self) -> None:
        """Print why it has stopped, if it has."""
        player = self.player
        if player.playing:
            return
        if player.failed or player.number < self.until or player.reason in player.stops.conditions:
            self._stopped()
            return
        self._catch_up()
        ends = self.until >= player.end and self.until % player.schedule.steps_per_epoch == 0
        self._note(f"■ the end of {'the training' if ends else 'what was asked for'}", "yellow")
        self.message = "space goes on, ← goes back, q quits"

    def _stopped(self) -> None:
        """Tell why it stopped, or ask what comes next."""
        player = self.player
        self._catch_up()
        if player.failed:
            self._note(f"✗ {player.reason}", "bold red")
            player.failed = False
        elif player.reason and not self._asks():
            self._note(f"■ {player.reason}", "yellow")

    def _safely(self, what: Callable[[], bool]) -> bool | None:
        """Do what may fail; then say why, and return None."""
        try:
            return what()
        except NodeflowError as error:
            self.player.pause()
            self._catch_up()
            self._note(f"✗ {error}", "bold red")
            return None

    # -- jumps

    def _go_back(self, level: str) -> None:
        player = self.player
        player.pause()
        if not player.number:
            self.message = "this is the start of the run"
            return
        player.back(level)
        self._jumped("◂ back to")

    def _ask_where(self) -> None:
        self.player.pause()
        self._catch_up()
        self.prompt = Prompt("go to", self._go_there, "EPOCH:SAMPLE:NODE, such as 0:2")

    def _go_there(self, text: str | None) -> Fault:
        if text:
            try:
                self.player.go(text)
            except NodeflowError as error:
                return str(error), None
            self._jumped("▸ at")
        return NO_FAULT

    def _jumped(self, how: str) -> None:
        """Tell where it stands after a jump: before a sample, or after a step of it."""
        player, run = self.player, self.player.run
        self._told, self._epoch, self._begun = player.number, run.epoch, None
        if run.position.place == 0:
            self._begun = player.number
            sample = " · ".join(described(run).split(" · ")[:2])
            self._note(f"{how} the start of {sample}", "dim")
        elif player.last is not None:
            step = player.last
            self._note(f"{how} {player.place.rpartition(' · ')[0]}", "dim")
            self.foot.above(lambda: self.printer.step(step, headed=False))

    # -- stops, loops, speed

    def _ask_condition(self) -> None:
        self.player.pause()
        self._catch_up()
        self.prompt = Prompt("stop when", self._add_condition, "such as cost < 0.01")

    def _add_condition(self, text: str | None) -> Fault:
        if text:
            player = self.player
            try:
                condition = player.stops.add(player.run, text)
            except ConditionError as error:
                return str(error), error.position
            already = condition.holds(Seen(player.run))
            again = ", which is so already, becomes so again" if already else " becomes true"
            self.message = f"it stops when {text}{again}; space plays"
        return NO_FAULT

    def _toggle_breakpoint(self) -> None:
        player = self.player
        player.pause()
        self._catch_up()
        node = player.run.node
        player.stops.toggle(player.run, node)
        stops = "it stops" if node in player.stops.breakpoints else "it no longer stops"
        self.message = f"{stops} before {node}"

    def _forget_stops(self) -> None:
        stops = self.player.stops
        known = (*stops.conditions, *sorted(stops.breakpoints))
        for text in tuple(stops.conditions):
            stops.forget(text)
        for what in stops.breakpoints:
            stops.toggle(self.player.run, what)
        self.message = f"forgotten: {', '.join(known)}" if known else "nothing stops it"

    def _toggle_loop(self) -> None:
        player = self.player
        player.loop(None if player.looped else "sample")
        self.message = "this sample over and over; l goes on" if player.looped else "it goes on"

    def _change_speed(self, by: int) -> None:
        now = self.player.speed
        others = [s for s in SPEEDS if (s > now if by > 0 else s < now)]
        if others:
            self._catch_up()
            self.player.speed = others[0 if by > 0 else -1]

    # -- predicting

    def _toggle_predicting(self) -> None:
        stops = self.player.stops
        stops.asking = not stops.asking
        if stops.asking:
            self.message = "it asks before it calculates: space or → goes on to the next question"
            if not self.player.playing:
                self._asks()
        else:
            self.message = "it asks no more"

    def _asks(self) -> bool:
        """Ask about the next node, if that is wanted and the node is worth it."""
        run = self.player.run
        if not (self.player.stops.asking and worth_asking(run, run.node)):
            return False
        self._catch_up()
        question = ask(run)
        self.foot.above(lambda: self._print_question(question))
        wanted = ", ".join(question.words) or "a number"
        self.prompt = Prompt(
            "answer", lambda text: self._answer(question, text), f"{wanted}; Enter alone shows it"
        )
        return True

    def _answer(self, question: Question, text: str | None) -> Fault:
        player = self.player
        if text is None:
            self.message = "→ asks again; r ends predicting"
            return NO_FAULT
        reached = self._safely(lambda: player.advance(player.number + 1))
        step = player.last
        if not reached or step is None:
            return NO_FAULT
        mark = question.mark(text, step) if text else None
        if mark is not None and mark.given is None:
            player.back()  # it could not be read, and is asked again
            return mark.text, None
        self._tell_steps()
        if mark is not None:
            self.foot.above(lambda: self._print_mark(mark, step))
        if player.reason in player.stops.conditions:
            self._note(f"■ {player.reason}", "yellow")
        return NO_FAULT

    def _print_question(self, question: Question) -> None:
        self.printer.note(Text.assemble("\n", ("? ", "bold green"), (question.text, "bold")))
        for line in side_by_side(question.given, self.out.width - 4):
            self.out.print(Text(f"  {line}"))
        if question.note not in self._noted:
            look.print_inset(self.out, Text(question.note, "dim"))
            self._noted.add(question.note)

    def _print_mark(self, mark: Mark, step: Step) -> None:
        sign, style = ("✓", "green") if mark.right else ("✗", "red")
        look.print_inset(self.out, Text(f"{sign} {mark.text}", style))
        for line in mark.lines[:1]:
            if line != step.formula:
                look.print_inset(self.out, Text(f"  {line}"))

    # -- telling

    def _tell(self, level: str) -> None:
        """Tell a beat that has just ended."""
        player = self.player
        if player.reason or level in ("step", "phase"):
            self._tell_steps()
        elif player.last is not None and player.number != self._told:
            step, cost = player.last, self._cost_of(level)
            self.foot.above(lambda: self.printer.summary(step, level, cost))
            self._told = player.number

    def _tell_steps(self) -> None:
        """Tell all steps that were not told yet."""
        player, begin = self.player, self._told
        steps = [step for number, step in player.log(player.number - begin) if number > begin]

        def tell() -> None:
            for step in steps:
                self.printer.step(step)

        self.foot.above(tell)
        self._told = player.number

    def _tell_again(self, level: str) -> None:
        """Tell that what is played over and over has begun again."""
        schedule, number = self.player.schedule, self.player.number
        begins = schedule.begins(level, number)
        self._told = self._begun = number if begins else schedule.before(level, number)
        self._note("↻ once more", "dim")

    def _tell_now_and_then(self) -> None:
        """Tell where it is, where it plays too fast to tell all steps."""
        player, step, now = self.player, self.player.last, time.perf_counter()
        if step is None or now - self._summed < _NOW_AND_THEN:
            return
        self._summed = now
        epoch = player.run.epoch
        if epoch > self._epoch:
            self.foot.above(lambda: self.printer.epoch(epoch - 1))
        else:
            cost = self._cost_of("update")
            self.foot.above(lambda: self.printer.summary(step, "update", cost))
        self._epoch = epoch

    def _catch_up(self) -> None:
        """Tell the step that it stands at, if it was played too fast for that."""
        player, step = self.player, self.player.last
        if player.number != self._told and step is not None:
            self.foot.above(lambda: self.printer.step(step))
            self._told = player.number

    def _cost_of(self, level: str) -> float | None:
        """Return the cost of the present batch; of a sample, of that alone."""
        run, address = self.player.run, self.player.run.plan.unfolding.cost
        if address is None or not run.has_value(address):
            return None
        return float(np.mean(run[address])) if level == "sample" else run.cost

    def _cost_age(self) -> str:
        """Return where the cost is from while it stands still, "" if it is of the present pass."""
        address = self.player.run.plan.unfolding.cost
        if address is None or self.player.playing or self._goal is not None:
            return ""
        return ages(self.player.run).get(address.rpartition(".")[0], "")

    def _note(self, text: str, style: str) -> None:
        self.foot.above(lambda: self.printer.note(Text(text, style)))

    def _help(self) -> None:
        def tell() -> None:
            rows = look.table("", "", heading=False)
            for keys, what in _KEYS:
                rows.add_row(Text(keys, "bold"), what)
            look.print_inset(self.out, rows)

        self.player.pause()
        self._catch_up()
        self.foot.above(tell)

    def _quit(self) -> None:
        self.over = True

    # -- the foot

    def _draw(self) -> None:
        width, height = self.out.size
        last, cursor = Text(f" {self.message}", "yellow"), None
        if self.prompt is not None:
            last, cursor = self.prompt.line(width)
        elif not self.message:
            hints = next((h for h in _HINTS if len(h) + 2 < width), _HINTS[-1])
            last = Text(f" {hints}", "dim")
        lines = [Text("─" * (width - 1), "dim"), self._status()]
        if self.prompt is not None and self.prompt.fault:
            lines.append(Text(f" {self.prompt.fault}", "red"))
        lines = [*lines, last] if height >= _LOW else [*lines[1:-1], last]
        self.foot.show(lines, cursor)

    def _status(self) -> Text:
        player = self.player
        state = "going on" if self._goal else "playing" if player.playing else "paused"
        unit = f"{self.level}{'s' if player.speed != 1 else ''}/s"
        speed = "full speed" if player.speed == math.inf else f"{player.speed:g} {unit}"
        cost, age = self._cost_of("update"), self._cost_age()
        parts = [
            (f"{state:<7}", "bold" if state != "paused" else "dim"),
            (f"{speed:<10}", ""),
            (f"cost {'–' if cost is None else show(cost):<7}", "dim" if age else ""),
            *([(age, "dim")] if age else []),
            *((flag, "yellow") for flag in self._flags()),
        ]
        text = Text(" ")
        for part, style in parts:
            text.append(part, style).append("  ")
        return text.append_text(self._place())

    def _flags(self) -> list[str]:
        """Return what will stop or lead it, in signs alone where there is little room."""
        player = self.player
        stops = len(player.stops.conditions) + len(player.stops.breakpoints)
        narrow = self.out.width < _NARROW
        return [
            short if narrow else f"{short} {words}"
            for on, short, words in (
                (player.looped is not None, "↻", player.looped),
                (stops > 0, f"■ {stops}", "stop" if stops == 1 else "stops"),
                (player.stops.asking, "?", "predicting"),
            )
            if on
        ]

    def _place(self) -> Text:
        """Return where it stands; a sign stands for the phase."""
        player = self.player
        step = None if player.number == self._begun else player.last
        phase = step.phase if step else "forward"
        where = described(player.run, step).replace(f" · {phase} · ", " · ")
        if self.out.width < _NARROW:
            where = where.replace(f" of {player.run.machine.rows} ", " ")
        return Text.assemble((f"{PHASE_SIGNS[phase]} ", PHASE_COLOURS[phase]), where)


def side_by_side(texts: Iterable[str], room: int) -> list[str]:
    """Return lines of texts, none of which is broken; one that is too long has its own line."""
    lines: list[str] = []
    for text in texts:
        if lines and len(lines[-1]) + 3 + len(text) <= room:
            lines[-1] += f"   {text}"
        else:
            lines.append(text)
    return lines
