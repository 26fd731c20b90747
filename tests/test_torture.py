"""The searches for what falls over find it: a fault is planted, and each has to see its own."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import nodeflow as nf
from nodeflow import disk
from nodeflow.editor.run.session import Session
from nodeflow.editor.state import messages as m
from torture import events, kills, memory, mutated, signals, threads
from torture.__main__ import PARTS, main
from torture.report import Report


def test_events_that_raise(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = events.update

    def update(editor: Any, message: Any) -> Any:
        if isinstance(message, m.Released):
            raise KeyError(message)
        return sound(editor, message)

    monkeypatch.setattr(events, "update", update)
    report = events.searched(30.0, most=200)
    assert any(kind.startswith("Released: KeyError at test_torture") for kind in report.faults)


def test_a_file_that_raises_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def loads(*_: object, **__: object) -> None:
        raise ValueError("half a character")

    monkeypatch.setattr("nodeflow.files.loads", loads)
    report = mutated.tortured(60.0, most=4, only="graph")
    assert any(kind.startswith("graphs, load: ValueError") for kind in report.faults), report.faults
    assert sum(report.times.values()) == 4


@pytest.mark.parametrize(("clock", "faults"), [(True, 1), (False, 0)])
def test_a_file_that_takes_long(monkeypatch: pytest.MonkeyPatch, clock: bool, faults: int) -> None:
    seconds = iter([0, 0, 0, *range(100, 10_000, 100)])
    monkeypatch.setattr(time, "process_time", lambda: float(next(seconds)))
    monkeypatch.setattr("nodeflow.files.loads", lambda *_, **__: None)
    report = mutated.tortured(60.0, most=1, only="graph", clock=clock)
    assert sum("slow" in kind for kind in report.faults) >= faults
    assert bool(report.faults) == bool(faults), report.faults


def test_a_command_that_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    def poll(_session: Session) -> None:
        raise RuntimeError("no answer")

    sound = Session.poll
    monkeypatch.setattr(Session, "poll", poll)
    monkeypatch.setattr(threads, "_still_works", lambda *_: None)
    report = threads.told(0.5)
    monkeypatch.setattr(Session, "poll", sound)
    assert any("RuntimeError" in kind for kind in report.faults), report.faults


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes that are forked")
def test_a_save_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    class InPlace:
        def __init__(self, path: Path, data: bytes) -> None:
            self.path, self.data = path, data

        def commit(self) -> None:
            with self.path.open("wb", buffering=0) as stream:
                for start in range(0, len(self.data), 4096):
                    stream.write(self.data[start : start + 4096])

        def discard(self) -> None:
            pass

    monkeypatch.setattr(disk, "Pending", InPlace)
    report = kills.killed(60.0, most=6)
    assert report.faults


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_command_with_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "_LAUNCH", """
import os, signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)
os.write(int(os.environ["READY"]), b"1")
time.sleep(60)
""")  # fmt: skip
    report = signals.interrupted(60.0, most=1)
    assert len(report.faults) == 2, report.faults  # its code, and what it shows


def test_memory_that_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[bytes] = []
    sound = nf.Run.train

    def train(run: nf.Run, epochs: int) -> Any:
        kept.append(os.urandom(1_000_000))  # no heap of earlier tests has room for so much
        return sound(run, epochs)

    monkeypatch.setattr(nf.Run, "train", train)
    assert "memory grows" in memory.trained(60.0, settled=1000, most=4000).faults


def test_a_fault_is_the_commands_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def found(*_: object) -> Report:
        report = Report("a part")
        report.fault("a kind", "how to see it")
        return report

    monkeypatch.setitem(PARTS, "model", (found, 1.0))
    assert main(["model"]) == 1
    assert "1 × a kind\n        how to see it" in capsys.readouterr().out
    monkeypatch.setitem(PARTS, "model", (lambda *_: Report("a part"), 1.0))
    assert main(["model"]) == 0


PLANTED = """
import os, sys
from torture import filesystem, kills
from torture.report import Report
def found(*_, **__):
    report = Report("killed saves")
    report.fault("a kind", "how")
    return report
kills.killed = found
filesystem.modelled = {}
"""


@pytest.mark.parametrize(
    ("model", "code", "said"),
    [
        ("lambda *_: Report('the model')", 0, "the model"),
        ("found", 1, "1 × a kind"),
        ("lambda *_: os._exit(9)", 1, "model: ended with 9"),
        ("lambda *_: 1 / 0", 1, "ZeroDivisionError"),
    ],
)
def test_parts_side_by_side(
    model: str, code: int, said: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    root = Path(__file__).parent.parent
    (tmp_path / "sitecustomize.py").write_text(PLANTED.format(model), "utf-8")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path), str(root))))
    monkeypatch.chdir(root)
    assert main(["--short", "--at-once", "2", "model"]) == code
    assert said in capsys.readouterr().out
