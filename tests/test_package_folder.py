"""No command writes into the package's own folder; without a home everything still works."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_no_pickle import ROOT, WORDS

_SCRIPT = """
import json, os, sys
package = os.path.realpath(sys.argv[1])
found = []

def hook(name, given):
    if name == "open":
        path, mode, flags = given
        writes = any(sign in (mode or "") for sign in "wax+")
        writes = writes or bool((flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        paths = [path] if writes else []
    elif name in ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink",
                  "os.chmod", "os.truncate", "shutil.copyfile", "shutil.move"):
        paths = given[:2]
    else:
        return
    for path in paths:
        if isinstance(path, (str, bytes, os.PathLike)):
            real = os.path.realpath(os.fsdecode(path))
            if real.startswith(package + os.sep):
                found.append((name, real))

sys.addaudithook(hook)
from nodeflow.cli import main
codes = {}
for words in json.load(sys.stdin):
    codes[" ".join(words[:2])] = main(words)
with open("found.json", "w") as file:
    json.dump([found, codes], file)
"""
LINES = [words for some in WORDS.values() for words in some if words[0] != "edit"]


@pytest.mark.skipif(sys.platform == "win32", reason="folders that nobody may write to, of POSIX")
def test_nothing_is_written_into_the_package_and_no_home_is_needed(tmp_path: Path) -> None:
    graph = (ROOT / "graphs" / "xor.json").read_bytes()
    (tmp_path / "copy.json").write_bytes(graph)
    (tmp_path / "data.json").write_bytes(graph)
    (tmp_path / "beside.json").write_bytes(graph)
    (tmp_path / "rows.csv").write_text("a,b,kind\n" + "1,2,x\n3,4,y\n" * 10)
    env = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": "/proc/nowhere"}
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        env.pop(name, None)
    done = subprocess.run(
        # Without Python's own bytecode, which is not for us to place.
        [sys.executable, "-B", "-c", _SCRIPT, str(ROOT / "nodeflow")], input=json.dumps(LINES),
        cwd=tmp_path, env=env, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    found, codes = json.loads((tmp_path / "found.json").read_text())
    assert found == []
    for command in ("run", "train", "check", "sweep", "unfold", "explode", "diff", "nodes", "play"):
        own = [code for words, code in codes.items() if words.split()[0] == command]
        assert 0 in own, (command, own, done.stderr)
    assert done.stderr.count("cannot be kept") <= 1  # the cache: said once at most
