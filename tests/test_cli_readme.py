"""What the README shows is what happens."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from gallery.commands import commands
from nodeflow.cli import COMMANDS, main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
SESSIONS = [text for kind, text in BLOCKS if not kind and text.startswith("$ ")]
PYTHON = [text for kind, text in BLOCKS if kind == "python"]


def comparable(text: str) -> str:
    """Leave out what differs from machine to machine: seconds, and the last of many digits."""
    text = re.sub(r"\b[\d.]+ [mµ]?s\b", "0 ms", text)
    text = re.sub(r"\d\.\de-\d\d", "0.0e-00", text)
    return re.sub(r"(\d\.\d\d)\d+", r"\1", text)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Return a folder with what the README names; its sessions follow one another there."""
    folder = tmp_path_factory.mktemp("readme")
    for name in ("graphs", "examples"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


@pytest.fixture(autouse=True)
def _at_home(monkeypatch, home):
    pytest.importorskip("sklearn")
    monkeypatch.chdir(home)
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.mark.parametrize("session", SESSIONS, ids=lambda text: text.partition("\n")[0])
def test_the_sessions_are_real(session, capsys):
    command, _, expected = session.partition("\n")
    words = shlex.split(command)[2:]
    if words[0] == "play":
        words += ["--speed", "0"]
    assert main(words) == 0
    assert comparable(capsys.readouterr().out) == comparable(expected)


def test_there_are_sessions_and_examples():
    assert len(SESSIONS) == 5
    assert len(PYTHON) == 1


@pytest.mark.parametrize("code", PYTHON)
def test_the_python_examples_run(code, capsys):
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out


def test_the_table_has_every_command():
    table = README.partition("| command |")[2].partition("\n\n")[0]
    named = set(re.findall(r"`nodeflow (\w+)", table)) | {"fold", "collapse"}
    assert named == set(COMMANDS)
    for name in commands().keys() - {"lesson play"}:  # that is `nodeflow lesson FILE`
        assert any(f"`{word}" in table for word in (f"nodeflow {name}", name, name.split()[-1]))
