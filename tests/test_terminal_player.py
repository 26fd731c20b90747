"""Slow motion by keys: real keys into a real terminal, whose screen is read like a person reads."""

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import nodeflow as nf
from nodeflow.cli import main
from nodeflow.playback.player import Player
from nodeflow.terminal.held import held_lines
from nodeflow.terminal.keys import first_key
from nodeflow.terminal.prompt import NO_FAULT, Prompt
from nodeflow.workings.shown import show

posix = pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")


def xor(**training):
    x, y = nf.dataset(source="xor", shuffle=False, id="data")
    hidden = nf.tanh(nf.weighted_sum(x, nf.parameter(shape=(2, 2), id="w1"), id="hidden"), id="a1")
    a = nf.sigmoid(nf.weighted_sum(hidden, nf.parameter(shape=(1, 2), id="w2"), id="out"), id="a2")
    cost = nf.squared_error(a, y, id="cost")
    return nf.Graph.of(nf.gradient_descent(cost, rate=0.3, id="train"), name="xor", **training)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "xor.json"
    nf.save(xor(epochs=50), path)
    return path


class Person:
    """Somebody at a terminal of 100 columns: presses keys and reads the screen."""

    def __init__(self, *words, columns=100, rows=40):
        import fcntl
        import struct
        import termios

        import pyte

        self.ours, self.theirs = os.openpty()
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.mode = termios.tcgetattr(self.theirs)
        self.screen = pyte.HistoryScreen(columns, rows, history=5000, ratio=0.5)
        self.stream = pyte.ByteStream(self.screen)
        self.sent = b""
        names = ("COLUMNS", "LINES", "NO_COLOR")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "nodeflow", "play", *map(str, words)],
            stdin=self.theirs,
            stdout=self.theirs,
            stderr=self.theirs,
            env={**{k: v for k, v in os.environ.items() if k not in names}, "TERM": "xterm"},
            process_group=0,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.ours)
        os.close(self.theirs)

    def read(self, seconds):
        """Take what the program has sent within so many seconds."""
        if select.select([self.ours], [], [], seconds)[0]:
            with contextlib.suppress(OSError):
                part = os.read(self.ours, 65536)
                self.sent += part
                self.stream.feed(part)
                return True
        return False

    def see(self, wanted):
        """Wait until the screen shows a text; return its lines."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            lines = [line.rstrip() for line in self.screen.display]
            whole = self.sent.endswith((b"\x1b[?25l", b"\x1b[?25h"))  # a frame's last signs
            if whole and re.search(wanted, "\n".join(lines)):
                return lines
            assert self.read(1) or self.process.poll() is None, "\n".join(lines)
        raise AssertionError(f"no {wanted!r} in:\n" + "\n".join(lines))

    def press(self, keys, wanted):
        os.write(self.ours, keys.encode())
        return self.see(wanted)

    def foot(self, wanted):
        """Wait until the status line shows a text."""
        self.see(rf"────\n.*{wanted}")

    def end(self):
        """Return the exit code, once the program is over."""
        end = time.monotonic() + 60
        while self.process.poll() is None and time.monotonic() < end:
            self.read(0.05)
        while self.read(0):
            pass
        return self.process.wait(timeout=1)

    def mode_now(self):
        import termios

        return termios.tcgetattr(self.theirs)


@pytest.fixture
def steps(file, capsys):
    """Return the steps of the graph as `--json` tells them."""

    def told(*words):
        assert main(["play", str(file), "--json", "--speed", "0", *words]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return told


def shown(lines, node):
    """Return the formula beside a node, the last one on the screen."""
    found = [line for line in lines if re.match(rf"  {re.escape(node)} +\S", line)]
    return found[-1].split(None, 1)[1]


RIGHT, LEFT = "\x1b[C", "\x1b[D"


@posix
def test_a_person_plays_steps_goes_back_and_quits(file, steps):
    of_graph = {(s["epoch"], s["sample"], s["node"]): s["formula"] for s in steps("--samples", "3")}
    history = nf.Run(xor(epochs=50)).train(2)
    with Person(file, "--speed", "1000", "--until", "0:0:hidden") as person:
        lines = person.see("the end of what was asked for")
        assert shown(lines, "hidden") == of_graph[0, 0, "hidden"]
        lines = person.press(RIGHT, r"  a1 +a")
        assert shown(lines, "a1") == of_graph[0, 0, "a1"]
        lines = person.press("p", "● epoch 0 · sample 0|cost +cost = ")
        assert shown(lines, "cost") == of_graph[0, 0, "cost"]
        lines = person.press("b", "◂ back to epoch 0 · sample 0 of 4 · forward")
        assert shown(lines, "a2") == of_graph[0, 0, "a2"]
        person.foot("▶ epoch 0 · sample 0 of 4 · a2\n")
        cost = of_graph[0, 0, "cost"].rpartition(" ")[2]
        assert f"● epoch 0 · sample 0 of 4   cost {cost}" in person.press(
            "s", "sample 0 of 4   cost "
        )
        lines = person.press("g0:2:out\r", "▸ at epoch 0 · sample 2 of 4 · forward")
        assert shown(lines, "out") == of_graph[0, 2, "out"]
        person.press("S", "◂ back to the start of epoch 0 · sample 2 of 4")
        person.press("E", "◂ back to the start of epoch 0 · sample 0 of 4")
        person.press(LEFT, "this is the start of the run")
        for epoch, line in enumerate(history):
            person.press("e", f"● epoch {epoch}   cost {show(line['cost'])}")
        person.press("U", "◂ back to the start of epoch 1 · sample 3 of 4")
        os.write(person.ours, b"q")
        assert person.end() == 0
        assert person.mode_now() == person.mode
        assert person.sent.endswith(b"\x1b[?25h")
        assert not any(line.startswith("────") for line in person.screen.display)


@posix
def test_conditions_breakpoints_and_faults_are_told_at_the_foot(file, steps):
    costs = [s["outputs"]["cost"][0][0] for s in steps() if s["node"] == "cost"]
    below = next(i for i, cost in enumerate(costs) if cost < 0.2)
    with Person(file, "--until", "0:0:data", "--speed", "1000") as person:
        person.see("the end of what was asked for")
        person.press("ccost << 0.2\r", "a value is missing before '<'")
        assert person.screen.cursor.x == len(" stop when cost <")
        person.press("\x1b[3~\x1b[F\r", "it stops when cost < 0.2 becomes true")
        person.foot("■ 1 stop ")
        epoch, sample = divmod(below, 4)
        lines = person.press(" ", f"paused .*▶ epoch {epoch} · sample {sample} of 4 · cost\n")
        assert "■ cost < 0.2" in lines
        person.foot(f"cost {show(costs[below])} ")
        person.press("x", "forgotten: cost < 0.2")
        person.press(".", "it stops before cost.error")
        person.press("b", "◂ back to")
        person.press(" ", "■ breakpoint: cost.error")
        person.press("x", "forgotten: cost.error")
        person.press("g0:9\r", "sample 9 is beyond the epoch: it has 0 to 3")
        person.press("\x15nowhere\r", "'nowhere' is not EPOCH")
        person.press("\x1b", "\\? keys · q quit")


@posix
def test_a_sample_is_played_over_and_over(file):
    with Person(file, "--until", "0:1:hidden", "--speed", "1000") as person:
        person.see("the end of what was asked for")
        person.press("l", "this sample over and over")
        person.press("-----", "32 steps/s")
        person.press(" ", "↻ once more")
        lines = person.press(" ", "paused")
        assert all("sample 1 of 4" in line for line in lines if "↻ sample" in line), lines
        person.foot("sample 1 of 4")


@posix
def test_predictions_are_asked_and_marked(file, steps):
    first = steps("--samples", "1")
    z = next(s for s in first if s["node"] == "hidden")["outputs"]["z"][0][0]
    a = next(s for s in first if s["node"] == "a1")["outputs"]["a"][0][0]
    with Person(file, "--until", "0:0:w2", "--speed", "1000", rows=50) as person:
        person.see("the end of what was asked for")
        lines = person.press("r", "answer a number|it asks before")
        if not any("? What is hidden.z₁" in line for line in lines):
            person.press("n", "answer a number")
        person.press("some\r", "'some' is no number")
        assert not any(re.match("  hidden +z", line) for line in person.screen.display)
        person.press(f"\x15{z:.6f}\r", f"✓ Right: hidden.z₁ = {re.escape(show(z))}.")
        person.press("n", r"\? What is a1.a₁")
        lines = person.press("7\r", rf"✗ No: a1.a₁ = {re.escape(show(a))}, and you said 7\.")
        assert re.search(rf"= {re.escape(show(a))}$", shown(lines, "a1"))
        person.press("n", r"\? What is out.z")
        person.press("\x1b", "→ asks again; r ends predicting")
        person.press("r", "it asks no more")


@posix
def test_at_full_speed_it_ends_as_training_does(file):
    run = nf.Run(xor(epochs=50))
    run.train()
    with Person(file, "--speed", "500") as person:
        person.see("playing")
        person.press("++", "full speed")
        person.see("■ the end of the training")
        cost = re.escape(show(run.cost))
        person.foot(rf"cost {cost} .*epoch 49 · sample 3 of 4 · w\d.update")
        person.press("?", "predict what comes out, then see")


@posix
def test_longer_beats_are_played_as_lines(file):
    run, costs = nf.Run(xor(epochs=50)), []
    for _ in range(4):
        run.advance("update")
        costs.append(show(run.cost))
    words = ["--level", "update", "--until", "1", "--speed", "20"]
    with Person(file, *words, columns=40, rows=12) as person:
        lines = person.see("the end of what was asked for")
        told = [line.rpartition(" ")[2] for line in lines if line.startswith("●")]
        assert told == costs
        assert [line for line in lines if line.startswith("────")] == ["─" * 39]


@posix
def test_ctrl_c_ends_it_and_the_terminal_is_as_before(file):
    with Person(file) as person:
        person.see("playing")
        assert person.mode_now() != person.mode
        person.process.send_signal(signal.SIGINT)
        assert person.end() == 130
        assert person.mode_now() == person.mode
        assert b"\x1b[?25h" in person.sent[-200:]
        told = "\n".join(person.screen.display)
        assert "nodeflow: playing was interrupted at epoch 0, sample 0" in told


@posix
def test_suspended_and_ended_from_outside_the_terminal_is_as_before(file):
    with Person(file, "--until", "0:0:data") as person:
        person.see("the end of what was asked for")
        person.process.send_signal(signal.SIGTSTP)
        _, status = os.waitpid(person.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        assert person.mode_now() == person.mode
        person.process.send_signal(signal.SIGCONT)
        person.press("n", "  out.blame.constant ")
        assert person.mode_now() != person.mode
        person.process.send_signal(signal.SIGTERM)
        assert person.end() == 128 + signal.SIGTERM
        assert person.mode_now() == person.mode


# --- into a pipe --------------------------------------------------------------------------------


@pytest.mark.parametrize("level", ["step", "phase", "sample", "update", "epoch"])
def test_into_a_pipe_it_ends_where_a_condition_holds(file, steps, capsys, level):
    whole = steps()
    at = next(
        i for i, s in enumerate(whole) if s["node"] == "cost" and s["outputs"]["cost"][0][0] < 0.2
    )
    words = ["play", str(file), "--speed", "0", "--json", "--level", level]
    assert main([*words, "--stop", "cost < 0.2", "--stop", "cost > 100"]) == 0
    out, err = capsys.readouterr()
    told = [json.loads(line) for line in out.splitlines()]
    assert told[-1] == whole[at]
    if level == "step":
        assert told == whole[: at + 1]
    last = whole[at]
    where = f"epoch {last['epoch']} · sample {last['sample']} of 4 · forward · cost"
    assert err == f"nodeflow: stopped at {where}: cost < 0.2\n"


def test_a_condition_that_never_holds_stops_nothing(file, steps, capsys):
    assert steps("--stop", "cost > 100", "--samples", "3") == steps("--samples", "3")
    assert capsys.readouterr().err == ""


def test_a_condition_that_cannot_be_read_is_a_fault_with_its_place(file, capsys):
    assert main(["play", str(file), "--speed", "0", "--stop", "cost < hiden.z"]) == 1
    out, err = capsys.readouterr()
    first, text, caret = err.splitlines()
    assert out == ""
    assert first.startswith("nodeflow: the condition fails at character 8: there is no value")
    assert (text, caret) == ("  cost < hiden.z", "         ^")
    assert main(["play", str(file), "--json", "--stop", "cost <"]) == 1
    assert "the condition fails" in json.loads(capsys.readouterr().out)["error"]


CONDITIONS = [
    "cost < 0.2",
    "cost falls",
    "sample = 2",
    "epoch = 1",
    "update = 3",
    "out.z < previous(hidden.z[0,0])",
    "change(w1.value[0,0]) > change(w2.value[0,1]) and epoch > 0",
    "w1.value changes",
]


@pytest.mark.parametrize("text", CONDITIONS)
def test_a_condition_holds_at_the_same_moment_step_by_step(text):
    whole, single = (Player(nf.Run(xor(epochs=50))) for _ in range(2))
    for player in (whole, single):
        player.stops.add(player.run, text)
    whole.advance(whole.end)
    while not single.reason and single.number < single.end:
        single.step()
    assert whole.reason == single.reason == text
    assert whole.number == single.number


# --- parts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "key", "length"),
    [
        ("a", "a", 1),
        ("é", "é", 1),
        ("\r", "enter", 1),
        ("\n", "enter", 1),
        ("\x7f", "backspace", 1),
        ("\x1b[C", "right", 3),
        ("\x1bOD", "left", 3),
        ("\x1b[1;5Cx", "right", 6),
        ("\x1b[3~", "delete", 4),
        ("\x1b[4~", "end", 4),
        ("\x1b[15~", "unknown", 5),
        ("\x1b", "", 0),
        ("\x1b[", "", 0),
        ("\x1b[1;", "", 0),
        ("\x1b\x1b", "escape", 1),
        ("\x1bx", "escape", 1),
    ],
)
def test_keys_are_read_from_what_a_terminal_sends(sent, key, length):
    assert first_key(sent) == (key, length)


def test_a_typed_line_can_be_mended():
    got = []

    def done(text):
        got.append(text)
        return NO_FAULT if text == "cost < 1" else ("a value is missing", 5)

    prompt = Prompt("stop when", done)
    assert not any(prompt.press(key) for key in "cost <<1")
    assert not prompt.press("enter")
    assert (prompt.fault, prompt.place) == ("a value is missing", 5)
    for key in ("delete", "right", " "):
        prompt.press(key)
    assert prompt.press("enter")
    assert got == ["cost <<1", "cost < 1"]
    line, cursor = prompt.line(80)
    assert line.plain == " stop when cost < 1"
    assert cursor == len(line.plain)


def test_a_long_line_is_cut_at_its_beginning():
    prompt = Prompt("go to", lambda text: NO_FAULT)
    for key in "x" * 100 + "end":
        prompt.press(key)
    line, cursor = prompt.line(40)
    assert line.plain.endswith("xend")
    assert cursor == len(line.plain) < 40


def held(value, room=100, **more):
    run = nf.Run(
        nf.Graph.of(nf.weighted_sum(nf.constant(value=(1.0,)), nf.parameter(shape=(1, 1))))
    )
    step = next(run.step() for _ in run.order)
    object.__setattr__(step, "type", "parameter")
    object.__setattr__(step, "outputs", {"value": np.asarray(value), **more})
    return held_lines(step, room)


def test_matrices_are_told_row_by_row():
    assert held([[0.5, -1], [10, 0.25]]) == ["value = [0.5,   −1]", "        [ 10, 0.25]"]
    assert held([0.5, -1]) == ["value = [0.5, −1]"]
    assert held([[2.0]]) == ["value = 2"]
    assert held([1, 0], y=np.array([1.0])) == ["value = [1, 0], y = 1"]


def test_long_matrices_are_shortened_and_have_their_shape():
    lines = held(np.arange(700.0).reshape(100, 7), room=24)
    assert lines[0] == "value = [ 0, …]  (100×7)"
    assert lines[-1] == "         ⋮"
    assert len(lines) == 5
    assert max(map(len, lines)) <= 24
    assert held(np.zeros(784)) == ["value = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, …]  (784)"]
