"""What has to answer at once imports nothing heavy."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import nodeflow as nf

GRAPHS = Path(__file__).parent.parent / "graphs"
HEAVY = ("networkx", "numba", "numpy", "rich", "scipy", "sklearn")
HELP = "from nodeflow.cli import main; assert main({words!r}) == {code}"


def modules_after(code: str) -> set[str]:
    """Return the top packages that are loaded once the code has run in a fresh Python."""
    after = "; import sys; print(); print(*sys.modules, file=sys.stdout)"
    done = subprocess.run(
        [sys.executable, "-c", code + after],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    return {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}


@pytest.mark.parametrize(
    "code",
    [
        "import nodeflow",
        "import nodeflow.errors",
        "import nodeflow.cli",
        HELP.format(words=["--help"], code=0),
        "import os; os.environ.pop('DISPLAY', None); " + HELP.format(words=[], code=1),
        HELP.format(words=["train", "--help"], code=0),
        HELP.format(words=["--version"], code=0),
        HELP.format(words=["no-such-command"], code=2),
    ],
)
def test_nothing_heavy_is_imported(code):
    assert modules_after(code).isdisjoint(HEAVY)


def test_the_library_itself_needs_neither_the_engine_nor_the_terminal():
    loaded = modules_after("from nodeflow.cli import main; main(['nodes', '--json'])")
    assert "numpy" in loaded
    assert loaded.isdisjoint({"numba", "rich", "scipy", "sklearn"})


def test_slow_motion_and_training_need_no_graph_library_and_no_scikit_learn():
    """What orders a graph is plain Python, and bundled sets are read from their files."""
    assert nf.load(GRAPHS / "iris.json").settings("data")["source"] == "iris"
    commands = [["play", str(GRAPHS / "one-neuron.json"), "--samples", "1"]]
    if importlib.util.find_spec("sklearn") is not None:
        commands.append(["train", str(GRAPHS / "iris.json"), "--epochs", "1", "--json"])
    for words in commands:
        loaded = modules_after(HELP.format(words=words, code=0))
        assert loaded.isdisjoint({"networkx", "sklearn", "dearpygui", "PIL"}), words


def test_python_m_nodeflow_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "nodeflow", "--version"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stdout.startswith("nodeflow ")
