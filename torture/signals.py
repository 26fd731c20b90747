"""Ctrl-C at any moment of a command: exit 130, or the end it had reached; never a traceback."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from torture.report import Report

ROOT = Path(__file__).parent.parent
_GRAPH = str(ROOT / "graphs" / "xor.json")
COMMANDS = (
    ["--help"],
    ["nodes"],
    ["run", _GRAPH],
    ["train", _GRAPH, "--epochs", "50"],
    ["train", _GRAPH, "--epochs", "20000", "--json"],
    ["check", _GRAPH],
    ["export", _GRAPH, "out.svg"],
    ["new", "net.json", "--data", "iris", "--force"],  # it may be there from before
)


# Before nodeflow's first line Python itself answers; so it says when it is there.
_LAUNCH = """
import os, signal, sys
# What a shell starts in the background ignores Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv[0] = "nodeflow"
import nodeflow
os.write(int(os.environ["READY"]), b"1")
from nodeflow.cli import main
sys.exit(main())
"""


def _begun(words: list[str], folder: Path) -> subprocess.Popen[str]:
    """Return a command that has come to nodeflow's first line."""
    ready, ours = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", _LAUNCH, *words],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
        text=True, env={**os.environ, "PYTHONPATH": str(ROOT), "READY": str(ours)},
        pass_fds=(ours,),
    )  # fmt: skip
    os.close(ours)
    os.read(ready, 1)
    os.close(ready)
    return process


def interrupted(seconds: float, *, most: int = 10_000, seed: int = 0) -> Report:
    """Interrupt commands for so long, each at another moment."""
    report = Report("Ctrl-C")
    dice = random.Random(seed)
    end = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        while time.monotonic() < end and report.counts["commands interrupted"] < most:
            words = dice.choice(COMMANDS)
            process = _begun(words, Path(folder))
            delay = dice.random() ** 2 * 2.0
            time.sleep(delay)
            process.send_signal(signal.SIGINT)
            try:
                _, told = process.communicate(timeout=600)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                report.fault(f"{words[0]} does not end", f"{words} after {delay:.3f} s")
                continue
            report.count("commands interrupted")
            how = f"{' '.join(words)} after {delay:.3f} s: {process.returncode}, {told[-300:]!r}"
            if process.returncode not in (0, 130):
                report.fault(f"{words[0]} ends with {process.returncode}", how)
            if "Traceback" in told or "Error" in told or "bug" in told:
                report.fault(f"{words[0]} shows its inside", how)
            report.count(f"with {process.returncode}")
    return report
