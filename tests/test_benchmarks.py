"""The benchmarks run, their contestants agree, and the harness says what it found."""

from __future__ import annotations

import importlib
import json
import math
import sys
from pathlib import Path
from statistics import median

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

import nodeflow as nf
from benchmarks import NAMES
from benchmarks.__main__ import main, write_docs
from benchmarks.harness import (
    Contestant,
    Result,
    Row,
    Target,
    difference,
    markdown,
    race,
    ratios,
    table,
)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command sets thread counts; they must not leak into other tests."""
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "1")


WITH_PYTORCH = ("wheat", "mnist", "fullbatch")
LONG = ("commands", "window", "page", "sweeps", "growth")
"""What starts windows, browsers and processes; `make test-programs` runs these, too."""


@pytest.mark.parametrize("name", [name for name in NAMES if name not in (*WITH_PYTORCH, *LONG)])
def test_contestants_agree(name: str) -> None:
    hold_agreement(name)


@pytest.mark.programs
@pytest.mark.parametrize("name", LONG)
def test_contestants_that_take_long_agree(name: str) -> None:
    hold_agreement(name)


def hold_agreement(name: str) -> Result:
    result: Result = importlib.import_module(f"benchmarks.{name}").run(quick=True)
    for note in result.notes:
        if note.startswith("skipped:") and not result.rows:
            pytest.skip(note)
    assert result.disagreements == []
    assert result.rows
    assert result.targets
    assert all(math.isfinite(target.measured) for target in result.targets)
    assert result.name in table(result)
    return result


@pytest.mark.programs("torch")
@pytest.mark.parametrize("name", WITH_PYTORCH)
def test_pytorch_takes_part_and_agrees(name: str) -> None:
    assert any("PyTorch" in row.name for row in hold_agreement(name).rows)


def test_slower_contestants_have_larger_ratios_and_parts_are_scaled() -> None:
    def wait(units: int) -> None:
        sum(range(units * 20_000))

    contestants = [
        Contestant("one", lambda: 1, wait),
        Contestant("ten", lambda: 10, wait),
        Contestant("part of ten", lambda: 1, wait, share=0.1),
    ]
    times = race(contestants, 5)
    assert [len(own) for own in times.values()] == [5, 5, 5]
    # the middle of five: a single turn may be interrupted
    assert median(ratios(times, "ten", "one")) > 3
    assert median(ratios(times, "part of ten", "one")) > 3


def test_targets_are_met_missed_or_undecided() -> None:
    assert Target("a", 1.5, 1.2).ok is True
    assert Target("a", 1.5, 1.6).ok is False
    assert Target("a", 60, 80, at_most=False).ok is True
    unsteady = Target("a", 1.5, 1.2, spread=4.0)
    assert unsteady.ok is None
    assert "UNSTEADY" in str(unsteady)
    assert " ok" not in str(unsteady)


def test_differences() -> None:
    assert difference([1.0, 2.0], [1.0, 2.5]) == pytest.approx(0.25)
    assert difference([[1.0], [2.0]], [[1.0]]) == math.inf
    assert difference([1.0, math.nan], [1.0, math.nan]) == 0
    assert difference([1.0, math.nan], [1.0, 2.0]) == math.inf


def test_disagreement_is_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = Result("goto", "a title", [Row("a", 0.5)], [Target("t", 1, math.pi)])
    module = importlib.import_module("benchmarks.goto")
    monkeypatch.setattr(module, "run", lambda quick: result)
    file = tmp_path / "out.json"
    assert main(["goto", "--json", str(file)]) == 0
    assert json.loads(file.read_text())["results"][0]["targets"][0]["ok"] is False
    result.agree("the weights of somebody", [1.0], [1.1], 1e-9)
    assert main(["goto"]) == 1
    assert "the weights of somebody is off by 1.0e-01" in capsys.readouterr().err


def test_figures_are_written_between_the_marks(tmp_path: Path) -> None:
    path = tmp_path / "benchmarks.md"
    path.write_text("before\n<!-- figures -->\nold\n<!-- end of figures -->\nafter\n")
    result = Result("goto", "a title", [Row("a", 0.5)], [Target("t", 1, 0.5)])
    for _ in range(2):
        write_docs([result], path, "a machine")
        text = path.read_text(encoding="utf-8")
        assert text.count(markdown(result)) == 1
        assert text.startswith("before\n")
        assert text.endswith("\nafter\n")
        assert "old" not in text


def test_what_cannot_be_measured_without_data_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("NODEFLOW_DATA", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))

    def asks(*, quick: bool) -> Result:
        nf.Run(nf.sample("wheat-seeds"))
        raise AssertionError("the data is there")

    monkeypatch.setattr(importlib.import_module("benchmarks.goto"), "run", asks)
    assert main(["goto"]) == 0
    said = capsys.readouterr()
    assert "(skipped: " in said.out
    assert "nodeflow data get wheat-seeds" in said.out
    assert said.err == ""

    page = importlib.import_module("benchmarks.page")
    result = Result("page", "")
    page._sizes(result, _Shown(), tmp_path, 1)
    assert [target.text for target in result.targets] == [
        "size of the page of xor", "opening the page of xor",
    ]  # fmt: skip
    assert result.notes[0].startswith("skipped: the page of wheat-seeds-neurons-unfolded: ")


class _Shown:
    """A browser that opens everything at once."""

    def open(self, path: Path) -> None:
        assert path.exists()

    def run(self, _script: str) -> float:
        return 1.0


def test_the_command_runs_a_benchmark(capsys: pytest.CaptureFixture[str]) -> None:
    if importlib.import_module("benchmarks.goto").run(quick=True).notes[0].startswith("skipped"):
        pytest.skip("neither wheat seeds nor iris are here")
    assert main(["goto", "--quick"]) == 0
    assert "the worst jump" in capsys.readouterr().out


def test_last_bits_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    lastbits = importlib.import_module("benchmarks.lastbits")
    lastbits.main(["300"])
    text = capsys.readouterr().out
    document = lastbits.DOCS.read_text(encoding="utf-8")
    for name in lastbits.ROWS:
        assert f"| {name} | " in text
        assert f"| {name} | " in document


def test_unknown_names_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as error:
        main(["wheet"])
    assert error.value.code == 2
    assert "there is no benchmark 'wheet'" in capsys.readouterr().err
