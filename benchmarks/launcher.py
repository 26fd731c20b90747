"""Starts a command and tells its processor time with all children, and whether any outlived it.

python launcher.py SECONDS COMMAND…: the command's output goes to standard error; one line of JSON
goes to standard output: `seconds` on the clock until the command ended, `processor` seconds of it
and all its children, the exit `code`, and `outlived`, the ids of processes that were still there.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Become the parent of all whose parent ends, so that nobody is missed (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def main() -> None:
    """Run the command."""
    adopt_orphans()
    start = time.perf_counter()
    command = subprocess.Popen(sys.argv[2:], stdout=2, stderr=2, stdin=subprocess.DEVNULL)
    limit = threading.Timer(float(sys.argv[1]), command.kill)
    limit.daemon = True
    limit.start()
    # Not `Popen.wait`: orphans that end meanwhile are counted as well.
    while True:
        ended, status = os.wait()
        if ended == command.pid:
            break
    seconds = time.perf_counter() - start
    limit.cancel()
    outlived = _outlived()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        json.dumps(
            {
                "seconds": seconds,
                "processor": used.ru_utime + used.ru_stime,
                "code": os.waitstatus_to_exitcode(status),
                "outlived": outlived,
            }
        )
    )
    command.returncode = 0  # it was waited for above


def _outlived() -> list[int]:
    """Return the processes that are still at work; they are ended, and their time is counted."""
    found = []
    while True:
        try:
            ended, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if ended:
            continue
        alive = _children()
        found += alive
        for process in alive:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)


def _children() -> list[int]:
    if sys.platform != "linux":
        return []
    listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")
    return [int(word) for word in listed.split()]


if __name__ == "__main__":
    main()
