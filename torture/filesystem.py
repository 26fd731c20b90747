"""The model of the file system in the tests, with three saves in a row and not two."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from torture.report import Report

ROOT = Path(__file__).parent.parent


def modelled(saves: int) -> Report:
    """Stop so many saves in a row after every system call; read every disk that may be found."""
    report = Report("file-system model")
    words = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:xdist",
             "tests/test_files_model.py"]  # fmt: skip
    done = subprocess.run(
        words, cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "NODEFLOW_TORTURE_SAVES": str(saves)},
    )  # fmt: skip
    report.count("saves in a row", saves)
    for number in re.findall(r"^(\d+) disks", done.stdout, re.MULTILINE):
        report.count("disks read", int(number))
    if done.returncode:
        report.fault("a disk without a whole pair", done.stdout[-500:])
    return report
