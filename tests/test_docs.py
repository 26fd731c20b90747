"""What the documents show is what happens, and what they name is there."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import helpers_nodes
import pytest
from test_cli_readme import comparable

from nodeflow.cli import main
from nodeflow.declare import CATALOG

ROOT = Path(__file__).parent.parent
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md"))]
EXAMPLES = sorted(ROOT.glob("examples/*.py"))


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def blocks(path: Path, kind: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", read(path), re.MULTILINE | re.DOTALL)
    return [text for language, text in found if language == kind]


def by_name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.fixture
def library():
    """Take out of the catalog what a test declares."""
    before = set(CATALOG)
    yield CATALOG
    for name in set(CATALOG) - before:
        CATALOG.remove(name)


def executed(path: Path) -> dict:
    """Run all Python blocks of a document, one after the other, as one program."""
    names: dict = {"__name__": path.stem.lower()}
    for text in blocks(path, "python"):
        exec(compile(text, path.name, "exec"), names)
    return names


# --- what is shown ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [d for d in DOCUMENTS if blocks(d, "python")], ids=by_name)
def test_the_python_blocks_run(path, library, monkeypatch, capsys):
    if "iris" in "".join(blocks(path, "python")):
        pytest.importorskip("sklearn")
    monkeypatch.chdir(ROOT)
    executed(path)
    shown = re.findall(r"# → (.*)$", "".join(blocks(path, "python")), re.MULTILINE)
    printed = capsys.readouterr().out
    if shown:
        assert printed.splitlines() == shown
    assert printed


HOW_TO = ROOT / "docs" / "how-to.md"
SESSIONS = [text for text in blocks(HOW_TO, "") if text.startswith("$ ")]


@pytest.fixture(scope="module")
def at_hand(tmp_path_factory):
    """Return a folder in which the sessions of a document follow one another."""
    folder = tmp_path_factory.mktemp("how-to")
    for name in ("graphs", "examples"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


@pytest.mark.parametrize("session", SESSIONS, ids=lambda text: text.partition("\n")[0])
def test_the_sessions_of_the_how_to_are_real(session, at_hand, monkeypatch, capsys):
    monkeypatch.chdir(at_hand)
    monkeypatch.delenv("COLUMNS", raising=False)
    command, _, expected = session.partition("\n")
    assert main(shlex.split(command)[2:]) == 0
    assert comparable(capsys.readouterr().out) == comparable(expected)


def test_the_new_type_is_in_the_library(library, monkeypatch, capsys):
    monkeypatch.delenv("COLUMNS", raising=False)
    executed(CONTRIBUTING)
    sessions = [text for text in blocks(CONTRIBUTING, "") if text.startswith("$ ")]
    assert len(sessions) == 1
    for session in sessions:
        command, _, expected = session.partition("\n")
        capsys.readouterr()
        assert main(shlex.split(command)[2:]) == 0
        assert capsys.readouterr().out == expected


def test_the_new_type_passes_the_tests_of_the_library(library):
    executed(CONTRIBUTING)
    (tables,) = [text for text in blocks(CONTRIBUTING, "") if "_same" in text]
    contract, cases = tables.splitlines()
    ((name, (family, inputs, outputs, settings)),) = eval(f"{{{contract}}}").items()
    type_ = CATALOG[name]
    assert (type_.family, type_.defaults) == (family, settings)
    assert " ".join(map(str, type_.inputs)) == inputs
    assert " ".join(map(str, type_.outputs)) == outputs
    for case in eval(f"[{cases}]", vars(helpers_nodes)):
        trained = helpers_nodes.training(case)
        found = helpers_nodes.gradients(trained.graph)
        for port, i, _ in case.wires():
            assert trained.error(port, i, found[f"in-{port}-{i}.value"]) <= 1e-7


# --- the row kernel -----------------------------------------------------------------------------


def changed(text: str, change: str) -> str:
    """Return a file's text after the lines of a diff."""
    lines = change.splitlines(keepends=True)
    old = "".join(line[1:] for line in lines if not line.startswith("+"))
    new = "".join(line[1:] for line in lines if not line.startswith("-"))
    assert text.count(old) == 1, f"these lines are there {text.count(old)} times:\n{old}"
    return text.replace(old, new)


LOWERED = """
import numpy as np
import nodeflow as nf

from nodeflow.engine.executor import executed_by

z = np.array([-30.0, -1.0, -1e-9, 0.0, 2.0])
for who in ("python", "machine code"):
    with executed_by(who):
        run = nf.Run(nf.Graph.of(nf.elu(nf.constant(value=z.tolist()), id="e")))
        run.evaluate()
        assert run.machine.tape.calls == (), "it is still called"
        np.testing.assert_allclose(run["e.a"][0], nf.elu(z), rtol=3e-16)
print("lowered")
"""


def test_the_row_kernel_is_all_that_it_takes(tmp_path):
    """What is shown is an operation like the others, for Python and for machine code."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "nodeflow", tmp_path / "nodeflow", ignore=ignored)
    (diff,) = blocks(CONTRIBUTING, "diff")
    for part in re.split(r"^--- ", diff, flags=re.MULTILINE)[1:]:
        name, _, change = part.partition("\n")
        path = tmp_path / name
        text = changed(read(path), change)
        path.write_text(text, encoding="utf-8")
    declared = 'shapes="elementwise")'
    first = blocks(CONTRIBUTING, "python")[0]
    assert first.count(declared) == 1
    assert '`operation="elu"` in the declaration' in read(CONTRIBUTING)
    first = first.replace(declared, declared[:-1] + ', operation="elu")')
    done = subprocess.run(
        [sys.executable, "-c", first + LOWERED],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "NODEFLOW_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.stdout == "lowered\n", done.stderr


# --- what is named ------------------------------------------------------------------------------


def anchors(path: Path) -> set[str]:
    """Return what a link may name after its '#'."""
    titles = re.findall(r"^#+ (.*)$", read(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", DOCUMENTS, ids=by_name)
def test_a_document_holds_no_control_characters(path):
    assert not re.findall(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", read(path))


@pytest.mark.parametrize("path", sorted((ROOT / "findings").glob("*.sh")), ids=by_name)
def test_a_finding_says_what_was_guessed_and_seen_and_is_in_the_table(path):
    shebang, head, *rest = read(path).splitlines()
    assert shebang == "#!/usr/bin/env bash"
    assert re.match(r"# .*\d+\.\d+.*: ", head), "which version does what"
    for word in ("Guess", "Seen", "Here"):
        assert any(re.match(f"# {word}\\b.*: ", line) for line in rest), word
    rows = read(path.with_name("README.md")).splitlines()
    (row,) = (row for row in rows if row.startswith(f"| [{path.stem}]({path.name}) |"))
    script = read(path).partition("set -euo pipefail")[2]
    for version in re.findall(r"[\w\]](?:==|@)(\d[\w.-]*)", script):
        assert f" {version}" in row.split("|")[3], version
    assert "nodeflow" not in script, "it is shown without"


@pytest.mark.parametrize("path", DOCUMENTS, ids=by_name)
def test_every_relative_link_leads_somewhere(path):
    for target in re.findall(r"\]\(([^)\s]+)\)", read(path)):
        if re.match(r"\w+:", target):
            continue
        name, _, anchor = target.partition("#")
        there = path.parent / name if name else path
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


def named_files(path: Path) -> list[str]:
    """Return everything in backquotes that looks like a file or folder of the repository."""
    words = re.findall(r"`([\w./-]+)`", read(path))
    return [word for word in words if word.endswith((".py", ".toml", ".md", "/"))]


@pytest.mark.parametrize("path", [ARCHITECTURE, CONTRIBUTING], ids=by_name)
def test_every_file_that_is_named_is_there(path):
    named = [word for word in named_files(path) if word != "mnist/"]
    assert named
    for word in named:
        assert (ROOT / word).exists() or (ROOT / "nodeflow" / word).exists(), word


def test_the_packages_are_all_there_and_in_the_order_of_the_imports():
    """The list of the document is that of import-linter's layers, and of what is there."""
    (listed,) = [text for text in blocks(ARCHITECTURE, "") if text.startswith("nodeflow/")]
    names = re.findall(r"^  (\w+)(?:\.py|/) ", listed, re.MULTILINE)
    there = {
        found.stem
        for found in (ROOT / "nodeflow").iterdir()
        if found.suffix == ".py" or (found / "__init__.py").exists()
    }
    assert set(names) == there - {"__init__"}
    project = tomllib.loads(read(ROOT / "pyproject.toml"))
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    beside = [set(re.split(r" [|:] ", layer)) for layer in layers]
    at = 0
    for layer in beside:
        assert set(names[at : at + len(layer)]) == layer
        at += len(layer)
    assert at == len(names)


@pytest.mark.parametrize("package", ["editor", "window"])
def test_the_floors_are_all_there_and_in_the_order_of_the_imports(package):
    (both,) = [text for text in blocks(ARCHITECTURE, "") if text.startswith("editor/")]
    (listed,) = [part for part in both.split("\n\n") if part.startswith(f"{package}/")]
    names = re.findall(r"^  (\w+)(?:\.py|/) ", listed, re.MULTILINE)
    project = tomllib.loads(read(ROOT / "pyproject.toml"))
    (layers,) = [
        contract["layers"]
        for contract in project["tool"]["importlinter"]["contracts"]
        if contract.get("containers") == [f"nodeflow.{package}"]
    ]
    at = 0
    for layer in layers:
        beside = set(layer.split(" | "))
        assert set(names[at : at + len(beside)]) == beside
        at += len(beside)
    assert at == len(names)


def test_every_module_and_name_in_the_code_is_there():
    """Dotted names such as `kernel.drive` are attributes of a module of nodeflow."""
    found = (ROOT / "nodeflow").rglob("*.py")
    modules = {one.stem: one for one in found if one.parent.name != "commands"}
    for path in (ARCHITECTURE, CONTRIBUTING):
        for owner, name in re.findall(r"`(\w+)\.(\w+)(?:\(\))?`", read(path)):
            if owner in modules and name not in ("py", "js", "json"):
                assert re.search(rf"\b{name}\b", read(modules[owner])), f"{owner}.{name}"


def test_the_first_lesson_has_as_many_tasks_as_are_said():
    lesson = json.loads(read(ROOT / "graphs" / "lessons" / "first-steps.json"))
    numbers = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    text = read(ROOT / "README.md")
    said = re.search(r"a lesson of (\w+) short tasks", text)
    assert said
    assert numbers.index(said[1]) == len(lesson["lesson"]["tasks"])


def test_the_tables_that_are_named_are_there():
    for name, file in re.findall(r"`([A-Z_]{4,})` in\s+`([\w/.]+)`", read(CONTRIBUTING)):
        assert re.search(rf"^{name}\b", read(ROOT / file), re.MULTILINE), name


# --- the examples -------------------------------------------------------------------------------

SAID = {
    "one_neuron": "w = 0.334515 after 10 updates",
    "broken_backward": "wrong at bias1, hidden, theta1",
    "back_in_time": "the same bits: True",
}


@pytest.mark.parametrize("path", EXAMPLES, ids=by_name)
def test_the_examples_run(path, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__", "__file__": str(path)}
    exec(compile(read(path), str(path), "exec"), names)
    assert SAID[path.stem] in capsys.readouterr().out
    assert read(path).startswith('"""')
