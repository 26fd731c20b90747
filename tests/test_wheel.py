"""What is in the wheel, and that it works where it is installed: away from the repository."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from test_cli_readme import README, comparable

import gallery.stub
import nodeflow as nf
from nodeflow.cli import main
from nodeflow.declare import CATALOG

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "nodeflow"
OURS = {".py", ".pyi", ".typed", ".json", ".ttf", ".js", ".css", ".html", ".svg"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    (found,) = folder.glob("*.whl")
    return found


def test_everything_of_the_package_is_in_the_wheel(wheel) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    files = {
        str(Path("nodeflow") / path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix in OURS
    }
    assert files <= names
    assert "nodeflow/py.typed" in names
    assert "nodeflow/engine/kernel/scalar.py" in names, "the kernel compiles its own source"


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """Return the Python of an environment with the wheel, and with what it needs from ours."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, symlinks=os.name != "nt", with_pip=False)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    own = site_packages(folder)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(own)
    # As lines of another folder's .pth files are not read, nodeflow itself is only the wheel's.
    others = f"{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n"
    own.joinpath("others.pth").write_text(others, encoding="utf-8")
    for path in sorted(own.joinpath("nodeflow").rglob("*"), reverse=True):
        path.chmod(0o555 if path.is_dir() else 0o444)
    return python


def site_packages(folder: Path) -> Path:
    return Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))


EPOCHS = 5000  # more than Python would do before machine code is loaded
GRAPH = """
import nodeflow as nf
x, y = nf.dataset("xor", id="data")
a = nf.sigmoid(nf.weighted_sum(x, nf.parameter(shape=(3, 2), id="theta1"), id="sum1"), id="hidden")
a = nf.sigmoid(nf.weighted_sum(a, nf.parameter(shape=(1, 3), id="theta2"), id="sum2"), id="output")
cost = nf.cross_entropy(a, y, id="cost")
nf.save(nf.Graph.of(nf.gradient_descent(cost, rate=0.5, id="train")), "xor.json")
print(nf.__file__)
"""


@pytest.mark.parametrize("cache", ["empty", "cannot be made"])
def test_the_wheel_trains_where_only_the_graph_can_be_written(installed, tmp_path, cache) -> None:
    """A home lies below a file, so that nobody can make it, not even root."""
    (tmp_path / "file").write_text("")
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PYTHON", "NODEFLOW", "XDG", "COV"))
    }
    environment |= {
        "HOME": str(tmp_path / "file" / "home"),
        "NODEFLOW_CACHE": str(tmp_path / "cache" if cache == "empty" else tmp_path / "file"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }

    def run(*arguments: str) -> str:
        found = subprocess.run(
            [installed, *arguments], cwd=tmp_path, env=environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert found.returncode == 0, found.stderr
        said.extend(found.stderr.splitlines())
        return found.stdout

    said: list[str] = []

    own = site_packages(installed.parent.parent)
    before = {path: path.stat().st_mtime_ns for path in own.rglob("*")}
    assert Path(run("-c", GRAPH).strip()) == own / "nodeflow" / "__init__.py"
    told = json.loads(run("-m", "nodeflow", "train", "xor.json", "--epochs", f"{EPOCHS}", "--json"))
    assert told["epochs"] == EPOCHS
    run_ = nf.Run(nf.load(tmp_path / "xor.json"))
    run_.train(epochs=EPOCHS)
    assert told["weights"] == {key: value.tolist() for key, value in run_.weights.items()}
    assert {path: path.stat().st_mtime_ns for path in own.rglob("*")} == before
    kept = list((tmp_path / "cache").rglob("*.o"))
    assert bool(kept) == (cache == "empty")
    assert len(said) == (cache == "cannot be made")  # once, and nothing else
    assert all("machine code cannot be kept" in line for line in said)


# --- without extras -----------------------------------------------------------------------------

EXTRAS = ("sklearn", "pandas", "pyarrow", "openpyxl", "sympy", "imageio_ffmpeg", "distributed",
          "torch", "keras", "onnx", "onnxruntime", "h5py", "matplotlib", "numba")  # fmt: skip
BARE = f"""
import sys
from importlib.machinery import PathFinder

class Bare(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] not in {EXTRAS!r}:
            return super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Bare
"""
"""What an environment without extras does not find."""


def first_screen() -> list[str]:
    """Return the sessions that the README begins with: a first look, and one's own table."""
    begin = README.index("## A first look")
    end = README.index("\n## ", README.index("## Your own table") + 1)
    found = re.findall(r"^```\n(\$ .*?)^```$", README[begin:end], re.MULTILINE | re.DOTALL)
    assert len(found) >= 3
    return found


def environment_in(folder: Path) -> dict[str, str]:
    left_out = ("PYTHON", "NODEFLOW", "XDG", "COV", "COLUMNS")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(left_out)}
    return {**kept, "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}


def run_first_screen(command: list[str], folder: Path) -> None:
    """Run what the README shows first, away from the repository, and compare what comes out."""
    for name in ("graphs", "examples"):
        shutil.copytree(ROOT / name, folder / name)
    for session in first_screen():
        line, _, expected = session.partition("\n")
        words = shlex.split(line)[2:]
        if words[0] == "play":
            words += ["--speed", "0"]
        found = subprocess.run(
            [*command, *words], cwd=folder, env=environment_in(folder),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (found.returncode, found.stderr) == (0, "")
        assert comparable(found.stdout) == comparable(expected)


def test_the_first_screen_of_the_readme_works_without_extras(installed, tmp_path) -> None:
    bare = site_packages(installed.parent.parent) / "sitecustomize.py"
    bare.write_text(BARE, encoding="utf-8")
    try:
        run_first_screen([str(installed), "-m", "nodeflow"], tmp_path)
        found = subprocess.run(
            [str(installed), "-m", "nodeflow", "new", "wine.json", "--data", "wine"],
            cwd=tmp_path, env=environment_in(tmp_path), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert found.returncode == 1
        assert "nodeflow[datasets]" in found.stderr
    finally:
        bare.unlink()


@pytest.mark.skipif("NODEFLOW_INSTALL" not in os.environ, reason="it is `make test-install`")
def test_the_wheel_is_installed_by_pip_into_an_empty_environment(wheel, tmp_path) -> None:
    venv.create(tmp_path / "empty", symlinks=os.name != "nt", with_pip=True)
    programs = tmp_path / "empty" / ("Scripts" if os.name == "nt" else "bin")
    subprocess.run([programs / "python", "-m", "pip", "install", "-q", str(wheel)], check=True)
    home = tmp_path / "home"
    home.mkdir()
    run_first_screen([str(programs / "nodeflow")], home)
    for name in ("applications/nodeflow.desktop", "mime/packages/nodeflow.xml"):
        assert (tmp_path / "empty" / "share" / name).is_file()


def test_the_wheel_has_what_a_desktop_and_a_type_checker_ask_for(wheel) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name.partition("/data/share/")[2]: name for name in archive.namelist()}
        entry = archive.read(names["applications/nodeflow.desktop"]).decode()
        kind = ET.fromstring(archive.read(names["mime/packages/nodeflow.xml"]))
        stub = archive.read("nodeflow/__init__.pyi").decode()
    assert "icons/hicolor/scalable/apps/nodeflow.svg" in names
    space = "{http://www.freedesktop.org/standards/shared-mime-info}"
    (type_,) = kind.iter(f"{space}mime-type")
    assert f"MimeType={type_.get('type')};" in entry
    assert [glob.get("pattern") for glob in kind.iter(f"{space}glob")] == ["*.nodeflow"]
    defined = {node.name for node in ast.parse(stub).body if isinstance(node, ast.FunctionDef)}
    assert defined == set(CATALOG)
    assert stub == gallery.stub.stub(), "run make stub"


def test_a_graph_file_may_end_in_nodeflow(tmp_path) -> None:
    graph = nf.sample("xor")
    nf.save(graph, tmp_path / "mine.nodeflow")
    nf.save(graph, tmp_path / "mine.json")
    assert (tmp_path / "mine.nodeflow").read_bytes() == (tmp_path / "mine.json").read_bytes()
    assert nf.load(tmp_path / "mine.nodeflow") == nf.load(tmp_path / "mine.json")
    assert main(["train", str(tmp_path / "mine.nodeflow"), "--epochs", "2", "--save"]) == 0
    assert (
        main(["unfold", str(tmp_path / "mine.nodeflow"), "-o", str(tmp_path / "u.nodeflow")]) == 0
    )
    assert nf.load(tmp_path / "u.nodeflow").of_type("weight_update")
    assert main(["export", str(tmp_path / "mine.nodeflow"), str(tmp_path / "mine.svg")]) == 0
