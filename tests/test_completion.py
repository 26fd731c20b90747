"""Shells complete what is typed after nodeflow: asked as they ask."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nodeflow.cli import COMMANDS, main

ROOT = Path(__file__).parents[1]


def completed(line: str, home: Path) -> list[str]:
    """Return what bash offers at the end of a line, through the printed script itself."""
    (home / "bin").mkdir(exist_ok=True)
    program = home / "bin" / "nodeflow"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m nodeflow "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    words = line.split(" ")
    script = f"""
        complete() {{ :; }}; compopt() {{ :; }}
        eval "$(nodeflow completion bash)"
        COMP_WORDS=({" ".join(f"'{word}'" for word in words)}); COMP_CWORD={len(words) - 1}
        _nodeflow_completion nodeflow '{words[-1]}'
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    path = f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    found = subprocess.run(
        ["bash", "-c", script], cwd=home, env=environment, capture_output=True, text=True,
        check=True, timeout=60,
    )  # fmt: skip
    assert not found.stderr
    return found.stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_bash_completes_commands_options_nodes_and_types(tmp_path):
    shutil.copy(ROOT / "graphs" / "xor.json", tmp_path / "xor.json")
    assert completed("nodeflow ex", tmp_path) == ["explode", "export"]
    assert "--target-kind" in completed("nodeflow new --ta", tmp_path)
    assert completed("nodeflow explode xor.json hid", tmp_path) == ["hidden", "hidden_a"]
    assert completed("nodeflow explode missing.json hid", tmp_path) == []
    assert completed("nodeflow nodes softp", tmp_path) == ["softplus"]
    assert completed("nodeflow completion f", tmp_path) == ["fish"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_its_lines(shell, capsys):
    assert main(["completion", shell]) == 0
    assert "_NODEFLOW_COMPLETE" in capsys.readouterr().out
    assert main(["completion", shell, "--json"]) == 0
    assert '"shell"' in capsys.readouterr().out


def test_another_shell_is_refused(capsys):
    assert main(["completion", "csh"]) == 2
    assert "bash" in capsys.readouterr().err
    assert "completion" in COMMANDS
