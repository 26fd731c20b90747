"""Two edits of one graph: merged by git line by line, and by `nodeflow merge` for the rest."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import nodeflow as nf
from nodeflow.cli import main
from nodeflow.declare import Array
from nodeflow.errors import FileError
from nodeflow.files import dumps, load, loads, save
from nodeflow.graph import Graph, Wire
from nodeflow.merging import merge

GRAPHS = Path(__file__).parent.parent / "graphs"
PAIRS = int(os.environ.get("NODEFLOW_TORTURE_MERGES", "60"))


def newest(graph: Graph) -> Graph:
    return replace(graph, version=2)


def text(graph: Graph) -> str:
    return dumps(newest(graph))


# --- random edits -------------------------------------------------------------------------------


def _name(rng: random.Random, taken: object) -> str:
    while True:
        word = "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(2, 7)))
        if word not in taken:  # type: ignore[operator]
            return word


def add_node(graph: Graph, rng: random.Random) -> Graph:
    """Put a node on the canvas: it has a line among the nodes, and a place."""
    key = _name(rng, graph.nodes)
    graph = graph.add(key, rng.choice(["sigmoid", "add", "panel", "tanh", "weighted_sum"]))
    return graph.move(**{key: (rng.randint(-500, 500), rng.randint(-500, 500))})


def add_group(graph: Graph, rng: random.Random) -> Graph:
    members = rng.sample(sorted(graph.nodes), 2)
    group = {"nodes": sorted(members), "title": _name(rng, ())}
    return replace(graph, groups={**graph.groups, _name(rng, graph.groups): group})


def add_wire(graph: Graph, rng: random.Random) -> Graph:
    """Wire one of the free panels to a node."""
    free = [key for key in graph.of_type("panel") if not graph.into(key)]
    sources = [f"{key}.{port.name}" for key, type_ in graph.types.items() for port in type_.outputs]
    return graph.connect(rng.choice(sources), f"{rng.choice(free)}.value")


def move(graph: Graph, rng: random.Random) -> Graph:
    key = rng.choice(sorted(graph.nodes))
    return graph.move(**{key: (rng.randint(-500, 500), rng.randint(-500, 500))})


KINDS: tuple[Callable[[Graph, random.Random], Graph], ...] = (add_node, add_group, add_wire, move)


def bases() -> list[Graph]:
    """Return graphs as people have them, with places and some free panels."""
    found = []
    for name in ("xor", "iris", "mazur", "two-weights"):
        graph = load(GRAPHS / f"{name}.json")
        for number in range(4):
            graph = graph.add(f"panel_{number}", "panel")
        rng = random.Random(name)
        places = {key: (rng.randint(0, 900), rng.randint(0, 900)) for key in graph.nodes}
        groups = {"input": {"nodes": sorted(graph.nodes)[:2], "title": "input"}}
        found.append(newest(replace(graph.move(**places), groups=groups)))
    return found


def git_merge(folder: Path, base: str, ours: str, theirs: str) -> str | None:
    """Return what `git merge-file` makes of three texts, or None for a conflict."""
    paths = [folder / name for name in ("ours", "base", "theirs")]
    for path, content in zip(paths, (ours, base, theirs), strict=True):
        path.write_text(content)
    done = subprocess.run(
        ["git", "merge-file", "-p", *map(str, paths)], capture_output=True, text=True, check=False
    )
    assert done.returncode >= 0
    return done.stdout if done.returncode == 0 else None


needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def _pairs(folder: Path, count: int, *, alike: bool, version: int = 2) -> tuple[int, int]:
    """Return how many of so many random pairs git merges, and how many `merge` does.

    What git merges without a conflict is the graph that `merge` makes of the two.
    """
    rng = random.Random(11)
    graphs = bases()
    by_git = by_us = 0
    for _ in range(count):
        base = rng.choice(graphs)
        first, second = [rng.choice(KINDS)] * 2 if alike else rng.sample(KINDS, 2)
        ours, theirs = first(base, rng), second(base, rng)
        found = merge(base, ours, theirs)
        by_us += not found.conflicts
        texts = [dumps(replace(graph, version=version)) for graph in (base, ours, theirs)]
        merged = git_merge(folder, *texts)
        if merged is None:
            continue
        try:
            graph = loads(merged)
        except FileError as error:  # lines that do not touch, and still do not go together
            assert "must be numbered" in str(error)  # noqa: PT017  rare, so no pytest.raises
            continue
        assert text(graph) == text(found.graph)
        assert not found.conflicts
        by_git += 1
    return by_git, by_us


@needs_git
def test_git_merges_what_two_people_add(tmp_path: Path) -> None:
    by_git, by_us = _pairs(tmp_path, PAIRS, alike=False)
    assert by_us == PAIRS
    assert by_git >= 0.95 * PAIRS


@needs_git
def test_of_two_additions_of_one_kind_the_driver_merges_all(tmp_path: Path) -> None:
    """Two people may move the same node, or wire the same panel; all else is merged."""
    by_git, by_us = _pairs(tmp_path, PAIRS // 2, alike=True)
    assert by_us >= 0.8 * (PAIRS // 2)
    assert by_git <= by_us


@needs_git
def test_git_calls_the_driver(tmp_path: Path) -> None:
    """In a real repository: what git alone would call a conflict is merged, arrays and all."""
    driver = f"{sys.executable} -m nodeflow merge %O %A %B"

    def git(*words: str) -> int:
        names = [
            "-c",
            "user.name=A",
            "-c",
            "user.email=a@b",
            "-c",
            f"merge.nodeflow.driver={driver}",
        ]
        env = {**os.environ, "PYTHONPATH": str(GRAPHS.parent)}
        done = subprocess.run(["git", *names, *words], cwd=tmp_path, env=env, capture_output=True,
                              check=False)  # fmt: skip
        return done.returncode

    path = tmp_path / "net.json"
    base = Graph().add("w", "parameter", value=Array([[0.5] * 2000])).add("x", "constant")
    save(base, path)
    (tmp_path / ".gitattributes").write_text("*.json merge=nodeflow\n")
    assert git("init", "-q", "-b", "one") == 0
    git("add", ".")
    assert git("commit", "-qm", "base") == 0
    git("checkout", "-qb", "two")
    save(load(path).add("y1", "sigmoid"), path)
    assert git("commit", "-qam", "theirs") == 0
    git("checkout", "-q", "one")
    save(load(path).add("y2", "tanh"), path)
    assert git("commit", "-qam", "ours") == 0
    assert git("merge", "-q", "two") == 0
    assert load(path).nodes.keys() == {"w", "x", "y1", "y2"}
    git("checkout", "-q", "two")
    save(load(path).set("x", value=(2.0,)), path)
    git("commit", "-qam", "theirs")
    git("checkout", "-q", "one")
    save(load(path).set("x", value=(3.0,)), path)
    git("commit", "-qam", "ours")
    assert git("merge", "-q", "two") == 1
    assert load(path).nodes["x"].settings["value"] == (3.0,)  # a whole graph file still


# --- what a merge is ----------------------------------------------------------------------------


@pytest.fixture
def base() -> Graph:
    graph = load(GRAPHS / "xor.json").add("plain", "sigmoid")
    return graph.add("show", "panel").add("all", "add").connect("data.x", "all.a")


def _sources(graph: Graph) -> list[str]:
    return [key for key in graph.nodes if graph.type_of(key).outputs]


def test_nothing_and_one_side(base: Graph) -> None:
    changed = base.set("train", rate=0.25)
    assert merge(base, base, base).graph == base
    assert merge(base, changed, base).graph == changed
    assert merge(base, base, changed).graph == changed
    assert merge(base, changed, changed).conflicts == ()


def test_settings_of_one_node_merge_one_by_one(base: Graph) -> None:
    found = merge(base, base.set("train", rate=0.25), base.set("train", momentum=0.5))
    assert found.conflicts == ()
    assert found.graph.settings("train")["rate"] == 0.25
    assert found.graph.settings("train")["momentum"] == 0.5


def test_conflicts_are_told_and_ours_stays(base: Graph) -> None:
    ours, theirs = base.set("train", rate=0.25), base.set("train", rate=0.75)
    found = merge(base, ours, theirs)
    rate = base.settings("train")["rate"]
    assert found.conflicts == (f"train.rate was {rate:g} and is 0.25 in ours, 0.75 in theirs",)
    assert found.graph == ours
    found = merge(base, ours, base.remove("train"))
    assert found.conflicts == ("node 'train' is gone in theirs and changed in ours",)
    assert "train" in found.graph.nodes
    found = merge(base, base.add("n", "sigmoid"), base.add("n", "tanh"))
    assert found.conflicts == (
        "node 'n' is new in both: ours is of type sigmoid, theirs of type tanh",
    )
    found = merge(base, base.connect("data.x", "plain.z"), base.connect("data.y", "plain.z"))
    assert found.conflicts == ("'plain.z' takes one wire: ours is from data.x, theirs from data.y",)
    found = merge(base, base.connect("all.value", "show.value"), base.remove("show"))
    assert found.conflicts == (
        "the wire all.value -> show.value is new, and the other side removed 'show'",
    )


def test_wires_into_a_port_of_many_follow_each_other(base: Graph) -> None:
    found = merge(base, base.connect("data.y", "all.a"), base.connect("all.value", "show.value"))
    assert found.conflicts == ()
    ours, theirs = base.connect("data.y", "all.a"), base.add("c", "constant")
    theirs = theirs.connect("c.value", "all.a")
    found = merge(base, ours, theirs)
    assert [wire.start for wire in found.graph.into("all")] == ["data.x", "data.y", "c.value"]
    assert [wire.index for wire in found.graph.into("all")] == [0, 1, 2]


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "expected", "conflict"),
    [
        ("a b", "b a", "a b c", "b a c", ""),
        ("a b", "a b c", "b a", "b a c", ""),
        ("a b", "c a b", "a d b", "c a d b", ""),
        ("a b", "a b c", "d a b", "d a b c", ""),
        ("a b", "b c", "a b d", "b c d", ""),
        ("a b c", "c b a", "b a c", "c b a", "have one order in ours, another in theirs"),
        ("a b", "c b", "d b", "c b", "in the place of a.value at 'all.a' is c.value in ours, d.v"),
        ("a b", "c b", "c b", "c b", ""),
        ("a b", "b", "b c", "b c", ""),
    ],
)
def test_the_order_of_wires_is_part_of_what_merges(base, ours, theirs, expected, conflict):
    def graph(sources: str) -> Graph:
        found = Graph(version=2).add("all", "concatenate")
        for key in "abcd":
            found = found.add(key, "slider")
        for key in sources.split():
            found = found.connect(f"{key}.value", "all.a")
        return found

    found = merge(graph(base), graph(ours), graph(theirs))
    assert [wire.source for wire in found.graph.into("all")] == expected.split()
    assert len(found.conflicts) == bool(conflict)
    assert conflict in "".join(found.conflicts)


def test_a_loop_of_both_is_a_conflict(base: Graph) -> None:
    graph = base.add("p", "add").add("q", "add")
    found = merge(graph, graph.connect("p.value", "q.a"), graph.connect("q.value", "p.a"))
    assert len(found.conflicts) == 1
    assert "close a loop" in found.conflicts[0]


def test_groups_merge_by_their_members(base: Graph) -> None:
    def grouped(graph: Graph, *members: str, title: str = "g") -> Graph:
        return replace(graph, groups={"g": {"nodes": list(members), "title": title}})

    start = grouped(base, "data", "all")
    found = merge(
        start, grouped(base, "data", "all", "show"), grouped(base, "all", "train", title="h")
    )
    assert found.conflicts == ()
    assert found.graph.groups["g"] == {"nodes": ["all", "show", "train"], "title": "h"}


# --- commands -----------------------------------------------------------------------------------


def test_the_command(tmp_path: Path, base: Graph, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["base.json", "ours.json", "theirs.json"]
    edits = [base, base.set("train", rate=0.25), base.set("train", rate=0.75).add("z", "tanh")]
    for name, graph in zip(names, edits, strict=True):
        save(graph, tmp_path / name)
    paths = [str(tmp_path / name) for name in names]
    assert main(["merge", *paths, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert len(told["conflicts"]) == 1
    assert load(paths[1]).nodes.keys() == base.nodes.keys() | {"z"}
    out = tmp_path / "out.json"
    assert main(["merge", *paths, "-o", str(out)]) == 1
    assert not (tmp_path / "out.json.bak").exists()
    assert main(["merge", paths[0], paths[0], paths[2]]) == 0
    assert text(load(paths[0])) == text(edits[2])
    (tmp_path / "empty").write_bytes(b"")
    assert main(["merge", str(tmp_path / "empty"), paths[2], paths[2]]) == 0
    (tmp_path / "bad.json").write_text("<<<<<<<")
    assert main(["merge", str(tmp_path / "bad.json"), paths[1], paths[2]]) == 1
    assert "bad.json" in capsys.readouterr().err


def test_what_a_merge_is_written_over_is_kept(tmp_path: Path, base: Graph) -> None:
    save(base, tmp_path / "net.json")
    net = str(tmp_path / "net.json")
    for name in ("notes.txt", "linked.txt"):
        (tmp_path / name).write_text("mine")
    (tmp_path / "link").symlink_to("linked.txt")
    assert main(["merge", net, net, net, "-o", str(tmp_path / "notes.txt")]) == 0
    assert (tmp_path / "notes.txt.bak").read_text() == "mine"
    assert main(["merge", net, net, net, "-o", str(tmp_path / "link")]) == 0
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "linked.txt.bak").read_text() == "mine"
    assert text(load(tmp_path / "linked.txt")) == text(base)
    os.mkfifo(tmp_path / "pipe")
    assert main(["merge", net, net, net, "-o", str(tmp_path / "pipe")]) == 1
    assert (tmp_path / "pipe").is_fifo()


def test_a_merge_into_no_name_leaves_ours_alone(
    tmp_path: Path, base: Graph, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, graph in (("ours.json", base), ("theirs.json", base.set("train", rate=0.75))):
        save(graph, tmp_path / name)
    ours, theirs = str(tmp_path / "ours.json"), str(tmp_path / "theirs.json")
    assert main(["merge", ours, ours, theirs, "-o", ""]) == 1
    assert "this is a folder" in capsys.readouterr().err
    assert text(load(ours)) == text(base)


def test_upgrade(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "xor.json"
    old = (GRAPHS / "xor.json").read_bytes()
    path.write_bytes(old)
    before = load(path)
    save(before, path)
    assert path.read_bytes() == old
    assert main(["upgrade", str(path)]) == 0
    assert "version 1 is version 2 now" in capsys.readouterr().out
    assert load(path) == before
    assert load(path).version == 2
    assert (tmp_path / "xor.json.bak").read_bytes() == old
    new = path.read_bytes()
    assert main(["upgrade", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"file": str(path), "from": 2, "version": 2}
    save(load(path), path)
    assert path.read_bytes() == new


def test_every_graph_file_in_both_versions(tmp_path: Path) -> None:
    for path in sorted(GRAPHS.glob("*.json")):
        graph = load(path)
        if graph.version == 2:
            save(graph, tmp_path / path.name)
            assert (tmp_path / path.name).read_bytes() == path.read_bytes()
            continue
        again = loads(text(graph), folder=path.parent)
        assert again == graph
        assert text(again) == text(graph)
        assert dumps(replace(again, version=1)) == dumps(graph)


def test_new_files_are_of_version_2(tmp_path: Path) -> None:
    assert main(["new", str(tmp_path / "net.json"), "--layers", "2-2-1"]) == 0
    assert load(tmp_path / "net.json").version == 2
    nf.save(Graph(), tmp_path / "empty.json")
    assert (tmp_path / "empty.json").read_text() == (
        '{\n  "format": "nodeflow",\n  "version": 2,\n  "name": "",\n  "about": "",\n'
        '  "training": {\n    "batch": 1,\n    "epochs": 10,\n    "seed": 0\n  },\n'
        '  "nodes": {\n  },\n  "wires": [\n  ],\n  "groups": {\n  },\n  "layout": {\n  }\n}\n'
    )
    assert Wire.parse("a.b -> c.d")
