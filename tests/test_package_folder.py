"""No command writes into the package's own folder; without a home everything still works.

A program may run as a user whom nobody knows, in a container: then there is no home at all.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from test_no_pickle import ROOT, WORDS

import nodeflow as nf
from nodeflow.data import places
from nodeflow.editor.documents.store import Store, config_folder, journal_folder, state_folder
from nodeflow.editor.state.model import Editor
from nodeflow.engine.kernel.machine_code import _digest, cache_folder
from nodeflow.errors import FileError
from nodeflow.plugins import enabling, finding
from nodeflow.sweeps.engine import engine_digest

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

def nobody(_number):
    raise KeyError("nobody knows this user")

sys.addaudithook(hook)
import pwd
pwd.getpwuid = nobody
from nodeflow.cli import main
codes = {}
for words in json.load(sys.stdin):
    codes[" ".join(words[:2])] = main(words)
with open("found.json", "w") as file:
    json.dump([found, codes], file)
"""
LINES = [words for some in WORDS.values() for words in some if words[0] != "edit"]
HOMES = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")


def _homeless(**more: str) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if name not in HOMES}
    return {**env, "PYTHONPATH": str(ROOT), **more}


def test_a_package_in_a_zip(tmp_path: Path) -> None:
    """It computes, has its data, and knows its own sources: the cache is theirs alone."""
    with zipfile.ZipFile(tmp_path / "nodeflow.zip", "w") as archive:
        for file in sorted((ROOT / "nodeflow").rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                archive.write(file, file.relative_to(ROOT))
    script = """
import sys
sys.path.insert(0, "nodeflow.zip")
from nodeflow.cli import main
import nodeflow
assert ".zip" in nodeflow.__file__
assert main(["new", "net.json", "--data", "iris"]) == 0
assert main(["run", "net.json"]) == 0
assert main(["samples"]) == 1
from nodeflow.engine.kernel.machine_code import _digest
from nodeflow.sweeps.engine import engine_digest
print("DIGESTS", _digest(), engine_digest(nodeflow.Graph()))
"""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([sys.executable, "-B", "-c", script], cwd=tmp_path,
                          env=env, capture_output=True, text=True, check=True)  # fmt: skip
    assert done.stdout.split("DIGESTS ")[1].split() == [_digest(), engine_digest(nf.Graph())]
    assert "runs from a zip" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="users of POSIX")
def test_nothing_is_written_into_the_package_and_no_home_is_needed(tmp_path: Path) -> None:
    graph = (ROOT / "graphs" / "xor.json").read_bytes()
    for name in ("copy.json", "data.json", "beside.json"):
        (tmp_path / name).write_bytes(graph)
    (tmp_path / "rows.csv").write_text("a,b,kind\n" + "1,2,x\n3,4,y\n" * 10)
    # Machine code of before: to compile all of it again is another test's.
    kept = cache_folder()
    env = _homeless(**({} if kept is None else {"NODEFLOW_CACHE": str(kept.parent)}))
    done = subprocess.run(
        # Without Python's own bytecode, which is not for us to place.
        [sys.executable, "-B", "-c", _SCRIPT, str(ROOT / "nodeflow")], input=json.dumps(LINES),
        cwd=tmp_path, env=env, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "bug of nodeflow" not in done.stderr
    assert not (tmp_path / "~").exists()  # a home that nobody knows is no folder of that name
    found, codes = json.loads((tmp_path / "found.json").read_text())
    assert found == []
    for command in ("run", "train", "check", "sweep", "unfold", "explode", "diff", "nodes", "play"):
        own = [code for words, code in codes.items() if words.split()[0] == command]
        assert 0 in own, (command, own, done.stderr)


def test_the_folders_of_somebody_without_a_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is in them, and what is to be kept there is refused in a sentence."""

    def unknown(_name: str) -> str:
        raise RuntimeError("could not determine the home directory")

    def itself(_name: str) -> str:
        return "~/.config/nodeflow"

    monkeypatch.delenv("NODEFLOW_DATA", raising=False)
    monkeypatch.setattr(places, "kept_in", lambda: places.user_folder() / "folders.json")
    for found in (unknown, itself):
        for kind in ("config", "data", "state"):
            monkeypatch.setattr(f"platformdirs.user_{kind}_dir", found)
        for folder in (config_folder(), state_folder(), journal_folder(), places.user_folder(),
                       finding.user_folder(), enabling.config_file()):  # fmt: skip
            assert folder.is_absolute()
            assert not folder.exists()
        store = Store()
        assert store.load_preferences()[1] == ""
        assert (store.recent(), store.left_behind(), enabling.enabled()) == ([], [], [])
        with pytest.raises(FileError):
            store.remember(tmp_path / "a.json", Editor.of(ONE_GRAPH).drawn)
        with pytest.raises(FileError):
            store.save_preferences(store.load_preferences()[0])
        assert not places.name_folder(tmp_path)  # for this process alone
        assert tmp_path in places.named_folders()
        places._named.clear()
        store.close()


ONE_GRAPH = nf.load(ROOT / "graphs" / "one-neuron.json")
