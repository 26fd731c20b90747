"""What compares with other programs is skipped where these are missing, and never in CI."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PROGRAMS = "torch|onnx|onnxruntime|keras|tensorflow|jax"

THREE = """
import pytest

@pytest.mark.programs("no_such_program")
def test_that_compares():
    import no_such_program

@pytest.mark.programs("json")
def test_that_skips_itself():
    pytest.importorskip("no_such_program")

def test_of_our_own():
    pass
"""


@pytest.fixture
def outcome(tmp_path):
    """Return a function that runs three tests with some options: its exit code and output."""
    shutil.copy(TESTS / "conftest.py", tmp_path)
    (tmp_path / "test_three.py").write_text(THREE, encoding="utf-8")

    def run(*options: str) -> tuple[int, str]:
        found = subprocess.run(
            [sys.executable, "-m", "pytest", "-ra", "-c", "/dev/null", "-p", "no:cacheprovider",
             f"--rootdir={tmp_path}", str(tmp_path), *options],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return found.returncode, found.stdout

    return run


def test_a_missing_program_is_a_reason_to_skip(outcome) -> None:
    code, text = outcome()
    assert code == 0
    assert "no_such_program is not installed: `make test-programs` compares with it" in text
    assert text.splitlines()[-1].startswith("=") and "1 passed, 2 skipped" in text  # noqa: PT018


def test_with_the_option_it_is_a_failure(outcome) -> None:
    code, text = outcome("--programs")
    assert code == 1
    assert "skipped, where nothing may be: no_such_program is not installed" in text
    assert "1 failed, 1 deselected, 1 error" in text


@pytest.mark.parametrize("path", sorted(TESTS.rglob("test_*.py")), ids=lambda path: path.stem)
def test_the_mark_alone_decides_what_is_skipped(path) -> None:
    """A file that skips itself would be missing in `make test-programs`, and nobody would know."""
    assert not re.search(rf"importorskip\(\s*['\"]({PROGRAMS})\b", path.read_text("utf-8"))
