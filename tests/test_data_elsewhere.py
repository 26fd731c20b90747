"""Data outside the graph's folder: read only where a person named the folder, and said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import nodeflow as nf
from nodeflow.cli import main
from nodeflow.data import places
from nodeflow.editor.shell import Shell
from nodeflow.editor.state import messages as m
from nodeflow.editor.state.model import Editor
from nodeflow.editor.update import update
from nodeflow.errors import DataError
from nodeflow.files import load, save
from nodeflow.graph import Graph, Node


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A graph in one folder whose data lies in another, and a home of its own."""
    monkeypatch.setattr(places, "user_folder", lambda: tmp_path / "home")
    monkeypatch.setattr(places, "kept_in", lambda: tmp_path / "home" / "folders.json")
    monkeypatch.setattr(places, "_named", [])
    monkeypatch.delenv("NODEFLOW_DATA", raising=False)
    for name in ("nets", "rows"):
        (tmp_path / name).mkdir()
    (tmp_path / "rows" / "r.csv").write_text("a,b,kind\n1,2,x\n3,4,y\n5,6,x\n")
    graph = Graph(nodes={"data": Node("dataset", {"source": "../rows/r.csv"})})
    save(graph, tmp_path / "nets" / "net.json")
    return tmp_path / "nets" / "net.json"


def test_a_graph_does_not_lead_out_of_its_folder(there: Path) -> None:
    rows = there.parent.parent / "rows"
    with pytest.raises(DataError) as caught:
        nf.Run(load(there))
    assert str(caught.value) == (
        f"dataset 'data': '../rows/r.csv' leads out of the folder of the graph, to {rows}: "
        f"`nodeflow data allow {rows}` lets graphs read there, or copy the file beside the graph"
    )


@pytest.mark.parametrize("source", ["sub/../../rows/r.csv", "./../rows/r", "../rows"])
def test_whatever_way_it_is_written(there: Path, source: str) -> None:
    (there.parent / "sub").mkdir()
    graph = load(there).set("data", source=source)
    with pytest.raises(DataError):
        nf.Run(graph)


def test_folders_that_a_person_names(
    there: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = there.parent.parent / "rows"
    with monkeypatch.context() as patch:
        patch.setenv("NODEFLOW_DATA", str(rows))
        nf.Run(load(there)).evaluate()
    assert main(["run", str(there), "--json"]) == 1
    assert main(["data", "allow", str(rows), "--json"]) == 0
    capsys.readouterr()
    assert main(["run", str(there), "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["values"]
    assert err == f"nodeflow: 'data' reads {rows / 'r.csv'}\n"
    monkeypatch.setattr(places, "_named", [])  # it is kept
    nf.Run(load(there)).evaluate()


def test_a_new_network_names_its_data(there: Path) -> None:
    made = there.parent / "made.json"
    data = there.parent.parent / "rows" / "r.csv"
    assert main(["new", str(made), "--data", str(data), "--json"]) == 0
    nf.Run(load(made)).train(1)


def test_the_editor_asks_by_a_command(there: Path) -> None:
    editor = Editor.of(load(there), there)
    assert "leads out of the folder" in editor.problems["data"]
    shell = Shell()
    try:
        editor = update(editor, m.Do("allow-data"))
        (request,) = editor.requests
        answers = shell.perform(request, editor)
        for answer in answers:
            editor = update(editor, answer)
    finally:
        shell.session.close()
    assert "data" not in editor.problems


@pytest.mark.parametrize("name", ["gone", "file"])
def test_only_a_folder_can_be_allowed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / "file").touch()
    assert main(["data", "allow", str(tmp_path / name)]) == 1
    assert capsys.readouterr().err == f"nodeflow: {tmp_path / name}: there is no such folder\n"
