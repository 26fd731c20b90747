"""Training for long, at steady memory."""

from __future__ import annotations

import time
from pathlib import Path

import nodeflow as nf
from torture.report import Report

GRAPHS = Path(__file__).parent.parent / "graphs"
_MOST = 5.0
_CHUNK = 20


def trained(
    seconds: float, *, name: str = "iris", settled: int = 0, most: int | None = None
) -> Report:
    """Train for so long, or for so many epochs; then memory has grown by less than 5 MB.

    It is looked at first after `settled` epochs, or else after a minute (or a fifth of the time).
    """
    report = Report("training")
    graph = nf.load(GRAPHS / f"{name}.json")
    start = time.monotonic()
    first, kept, largest = None, 0.0, 0.0
    run = nf.Run(graph)
    while time.monotonic() < start + seconds and (most is None or report.counts["epochs"] < most):
        run.train(_CHUNK)
        report.count("epochs", _CHUNK)
        largest = max(largest, _kept(run))
        warm = (
            report.counts["epochs"] >= settled
            if settled
            else time.monotonic() > start + min(60.0, seconds / 5)
        )
        if first is None and warm:
            first, kept = _megabytes(), _kept(run)
    grown = 0.0 if first is None else _megabytes() - first
    # What it lets go of it takes again: its most counts.
    history = 0.0 if first is None else largest - kept
    report.count("KB more", round(grown * 1024))
    report.count("KB of them history, which is bounded", round(history * 1024))
    grown -= history
    if grown >= _MOST:
        report.fault("memory grows", f"by {grown:.1f} MB in {report.counts['epochs']} epochs")
    return report


def _kept(run: nf.Run) -> float:
    """Return what the history takes: lines of 40 bytes an epoch, up to a million."""
    return run.history_bytes / 2**20


def _megabytes() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
