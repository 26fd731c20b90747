"""Node types by others: known without being imported, imported only when they are on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

import nodeflow as nf
from nodeflow import plugins
from nodeflow.boxes import box
from nodeflow.cli import main
from nodeflow.declare import CATALOG, Port
from nodeflow.errors import PluginError, UnknownType
from nodeflow.graph import Graph, Node, Wire
from nodeflow.plugins import enabling, finding, manifest_of

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "nodeflow-features"
RAN = """
import pathlib
pathlib.Path(__file__).with_suffix(".ran").write_text("x")
"""
TYPE = """
from nodeflow.declare import Value, node


@node("activation", formula="a = 3z", shapes="elementwise", no_backward="it is a test")
def {name}(z: Value) -> Value:
    \"\"\"Triple it.\"\"\"
    return 3 * z
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A user's folders, and a library without plugins."""
    monkeypatch.setattr(enabling, "config_file", lambda: tmp_path / "plugins.json")
    monkeypatch.setattr(finding, "user_folder", lambda: tmp_path / "nodes")
    (tmp_path / "nodes").mkdir()
    enabling.announced_types.cache_clear()
    import_module("nodeflow.nodes")  # what is imported on the way is not a plugin's
    before = set(CATALOG)
    yield tmp_path
    for name in set(CATALOG) - before:
        CATALOG.remove(name)
    for known in (enabling.ORIGINS, enabling.FAULTS, enabling._imported):
        known.clear()
    enabling.announced_types.cache_clear()


MANIFEST = '{"format": "nodeflow-plugin", "version": 1, "types": [%s]}'


def write(home, name, text, types=()):
    file = home / "nodes" / f"{name}.py"
    file.write_text(text, encoding="utf-8")
    if types:
        port = {"many": False, "optional": False, "feedback": False}
        document = {"format": "nodeflow-plugin", "version": 1, "types": [
            {"name": one, "inputs": [{"name": "z", **port}, {"name": "gain", **port}],
             "outputs": [{"name": "a", **port}]} for one in types
        ]}  # fmt: skip
        file.with_name(f"{name}.nodeflow-plugin.json").write_text(json.dumps(document))
    enabling.announced_types.cache_clear()
    return file


def test_a_file_is_imported_when_it_is_enabled_and_not_before(home, monkeypatch):
    file = write(home, "mine", RAN + TYPE.format(name="triple"))
    assert list(plugins.plugins()) == ["mine"]
    plugins.load_enabled()
    assert not file.with_suffix(".ran").exists()
    assert plugins.enable("mine") == ["triple"]
    assert file.with_suffix(".ran").exists()
    assert nf.triple(np.array([[2.0]])).tolist() == [[6.0]]
    assert plugins.ORIGINS == {"triple": "mine"}
    plugins.disable("mine")
    assert "triple" not in CATALOG
    assert plugins.enabled() == []
    with pytest.raises(AttributeError, match="triple"):
        nf.triple  # noqa: B018
    # Names that were found are not searched for on the disk again.
    assert nf.save.__module__.startswith("nodeflow.files")
    monkeypatch.setattr(enabling, "load_enabled", lambda: pytest.fail("looked up again"))
    assert nf.sigmoid is CATALOG["sigmoid"]
    assert nf.save.__module__.startswith("nodeflow.files")


def test_a_package_that_was_off_brings_its_types_again(home, monkeypatch):
    package = home / "tripling_nodes"
    package.mkdir()
    (package / "__init__.py").write_text("from tripling_nodes import inside", encoding="utf-8")
    (package / "inside.py").write_text(TYPE.format(name="triple"), encoding="utf-8")
    point = EntryPoint("tripling", "tripling_nodes", finding.GROUP)
    monkeypatch.setattr(finding, "entry_points", lambda group: [point])
    monkeypatch.syspath_prepend(home)
    assert plugins.enable("tripling") == ["triple"]
    plugins.disable("tripling")
    assert "triple" not in CATALOG
    assert plugins.enable("tripling") == ["triple"]
    assert "triple" in CATALOG
    plugins.disable("tripling")
    assert not [name for name in sys.modules if name.startswith("tripling_nodes")]


def test_a_module_in_a_namespace_has_its_manifest_beside_it(home, monkeypatch):
    folder = home / "tripling_space" / "inner"  # no __init__.py on the way
    folder.mkdir(parents=True)
    (folder / "nodes.py").write_text(TYPE.format(name="triple"))
    (folder / finding.FILE).write_text(MANIFEST % '{"name": "triple", "inputs": ["z"]}')
    point = EntryPoint("tripling", "tripling_space.inner.nodes", finding.GROUP)
    monkeypatch.setattr(finding, "entry_points", lambda group: [point])
    monkeypatch.syspath_prepend(home)
    plugin = plugins.plugins()["tripling"]
    assert (plugin.fault, list(plugin.manifest.types)) == ("", ["triple"])
    assert "tripling_space.inner.nodes" not in sys.modules
    assert plugins.enable("tripling") == ["triple"]
    gone = EntryPoint("tripling", "tripling_space.outer.nodes", finding.GROUP)
    monkeypatch.setattr(finding, "entry_points", lambda group: [gone])
    assert plugins.plugins()["tripling"].fault == "there is no module tripling_space.outer.nodes"


def test_what_is_on_is_imported_in_the_next_program_too(home):
    write(home, "mine", TYPE.format(name="triple"))
    plugins.enable("mine")
    CATALOG.remove("triple")
    enabling._imported.clear()
    plugins.load_enabled()
    assert "triple" in CATALOG


def test_opening_a_graph_imports_nothing_and_draws_the_right_ports(home, tmp_path):
    file = write(home, "mine", RAN + TYPE.format(name="triple"), ["triple"])
    graph = Graph(
        nodes={"t": Node("triple"), "x": Node("constant", {"value": [1.0]})},
        wires=(Wire("x", "value", "t", "z"), Wire("x", "value", "t", "extra")),
    )
    nf.save(graph, tmp_path / "g.json")
    again = nf.load(tmp_path / "g.json")
    made = box(again, "t")
    assert [port.name for port in made.inputs] == ["z", "gain", "extra"]
    assert [port.name for port in made.outputs] == ["a"]
    assert not file.with_suffix(".ran").exists()
    with pytest.raises(UnknownType, match="of the plugin 'mine', which is off; `nodeflow plugins"):
        nf.Run(again)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("raise ValueError('no such luck')", "ValueError: no such luck"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import nothing_of_that_name", "ModuleNotFoundError"),
        ("def broken(:", "SyntaxError"),
        (
            TYPE.format(name="triple") + TYPE.format(name="sigmoid"),
            "there is a node type 'sigmoid' already, of nodeflow; give this one another name",
        ),
    ],
)
def test_a_plugin_that_fails_is_one_sentence_and_leaves_nothing(home, text, sentence):
    write(home, "bad", text)
    before = set(CATALOG)
    with pytest.raises(PluginError) as caught:
        plugins.enable("bad")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert set(CATALOG) == before
    assert plugins.enabled() == []


def test_a_name_of_a_plugin_that_is_on_is_taken(home, monkeypatch):
    write(home, "one", TYPE.format(name="triple"))
    write(home, "two", TYPE.format(name="triple"))
    plugins.enable("one")
    with monkeypatch.context() as fresh:  # as in a process that has not imported it yet
        fresh.setattr(enabling, "_imported", set())
        fresh.setattr(enabling, "ORIGINS", {})
        CATALOG.remove("triple")
        with pytest.raises(PluginError, match="node type 'triple' already, of one; give"):
            plugins.enable("two")
        assert enabling.ORIGINS == {"triple": "one"}
    assert plugins.enabled() == ["one"]


def test_a_name_of_the_library_is_taken_even_before_the_library_is_imported(tmp_path):
    (tmp_path / "bad.py").write_text(TYPE.format(name="sigmoid"), encoding="utf-8")
    program = f"""
from pathlib import Path
from nodeflow.errors import PluginError
from nodeflow.plugins import enabling, finding
enabling.config_file = lambda: Path({str(tmp_path)!r}) / "plugins.json"
finding.user_folder = lambda: Path({str(tmp_path)!r})
try:
    enabling.enable("bad")
except PluginError as error:
    print(error)
"""
    made = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "there is a node type 'sigmoid' already, of nodeflow" in made.stdout


def test_one_that_fails_later_is_left_out_and_the_rest_works(home, capsys):
    write(home, "good", TYPE.format(name="triple"))
    write(home, "bad", TYPE.format(name="other"))
    plugins.enable("good")
    plugins.enable("bad")
    for name in ("triple", "other"):
        CATALOG.remove(name)
    enabling._imported.clear()
    enabling.ORIGINS.clear()
    write(home, "bad", "1 / 0", ["other"])
    plugins.load_enabled()
    assert "triple" in CATALOG
    with pytest.raises(UnknownType, match="ZeroDivisionError"):
        CATALOG["other"]
    assert main(["plugins", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert "ZeroDivisionError" in rows["bad"]["fault"]
    assert rows["good"]["fault"] is None


def test_one_that_is_gone_is_said(home, capsys):
    file = write(home, "mine", TYPE.format(name="triple"))
    plugins.enable("mine")
    CATALOG.remove("triple")
    enabling._imported.clear()
    file.unlink()
    plugins.load_enabled()
    assert "not installed any more" in plugins.FAULTS["mine"]
    assert main(["plugins"]) == 0
    assert "not installed any more" in capsys.readouterr().out
    assert main(["plugins", "disable", "mine"]) == 0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "cannot be read"),
        ("[]", "is no manifest"),
        ('{"format": "nodeflow-plugin", "version": 2}', "is of version 2"),
        ('{"format": "nodeflow-plugin", "version": 1}', "is damaged"),
        ('{"format": "nodeflow-plugin", "version": 1, "types": [1]}', "is damaged: $.types[0]"),
        (MANIFEST % '{"name": "triple", "inputs": ["z", 3]}', "is damaged: $.types[0].inputs[1]"),
        (MANIFEST % '{"name": "triple", "outputs": "a"}', "is damaged: $.types[0].outputs"),
        (MANIFEST % '{"formula": "a = z"}', "is damaged: $.types[0]"),
    ],
)
def test_a_bad_manifest_is_said_and_nothing_else_happens(home, capsys, text, sentence):
    write(home, "mine", TYPE.format(name="triple"))
    (home / "nodes" / "mine.nodeflow-plugin.json").write_text(text)
    assert sentence in plugins.plugins()["mine"].fault
    assert main(["plugins"]) == 0
    assert sentence in capsys.readouterr().out
    assert plugins.enable("mine") == ["triple"]


def test_a_manifest_that_was_typed_need_not_say_everything(home):
    write(home, "mine", TYPE.format(name="triple"))
    text = MANIFEST % '{"name": "triple", "inputs": ["z…", "gain?", {"name": "b"}]}'
    (home / "nodes" / "mine.nodeflow-plugin.json").write_text(text)
    plugin = plugins.plugins()["mine"]
    assert not plugin.fault
    told = plugin.manifest.types["triple"]
    assert [str(port) for port in told.inputs] == ["z…", "gain?", "b"]
    assert told.outputs == ()


def test_words_of_the_command(home, capsys):
    write(home, "mine", TYPE.format(name="triple"))
    assert main(["plugins", "enable", "mime"]) == 1
    assert "did you mean 'mine'" in capsys.readouterr().err
    assert main(["plugins", "disable", "mime"]) == 1
    assert main(["plugins", "enable", "mine", "--json"]) == 0
    capsys.readouterr()
    assert main(["plugins", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["enabled"], row["types"]) == (True, ["triple"])  # though it has no manifest
    assert main(["plugins", "--json", "disable", "mine"]) == 0
    assert json.loads(capsys.readouterr().out) == {"name": "mine", "enabled": False}
    assert main(["plugins", "--json", "enable", "mine"]) == 0
    assert json.loads(capsys.readouterr().out)["types"] == ["triple"]
    assert main(["nodes", "triple"]) == 0
    assert "Triple it." in capsys.readouterr().out


@pytest.mark.parametrize("name", ["", "My", "1a", "a b", "../x", "class"])
def test_a_new_plugin_has_a_proper_name(home, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PluginError, match="is no name of a package"):
        plugins.make(name, tmp_path)


def installed(folder, *packages):
    """Install packages without what they need into a folder; return the environment for it."""
    site = folder / "site"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation",
         "--no-index", "--target", str(site), *map(str, packages)],
        check=True, capture_output=True,
    )  # fmt: skip
    home = folder / "home"
    home.mkdir(exist_ok=True)
    return {
        **os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{site}", "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"), "XDG_DATA_HOME": str(home / "data"),
    }  # fmt: skip


def called(environment, *words, cwd=None):
    command = [sys.executable, "-m", "nodeflow", *words]
    return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True,
                          check=False)  # fmt: skip


def test_a_new_plugin_works_from_the_start(tmp_path):
    plugins.make("my-nodes", tmp_path)
    environment = installed(tmp_path, tmp_path / "my-nodes")
    listed = json.loads(called(environment, "plugins", "--json").stdout)
    assert listed == [{"name": "my-nodes", "enabled": False, "source": "my-nodes 0.1.0",
                       "types": ["my_nodes_elu"], "fault": None}]  # fmt: skip
    assert "which is off" in called(environment, "nodes", "my_nodes_elu").stderr
    assert called(environment, "plugins", "enable", "my-nodes").returncode == 0
    assert "e^z" in called(environment, "nodes", "my_nodes_elu").stdout
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=tmp_path / "my-nodes", env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert tests.returncode == 0, tests.stdout


def test_the_sample_plugin_trains_explodes_and_is_checked(tmp_path):
    environment = installed(tmp_path, EXAMPLE)
    assert called(environment, "plugins", "enable", "features").returncode == 0
    code = """
import nodeflow as nf
x, y = nf.dataset(source="xor")
z = nf.weighted_sum(x, nf.parameter(shape=(3, 2), id="t1"), id="hidden")
a = nf.weighted_sum(nf.radial_basis(z, id="hidden_a"), nf.parameter(shape=(1, 3), id="t2"))
graph = nf.Graph.of(nf.gradient_descent(nf.squared_error(a, y), rate=0.1))
assert nf.check(graph).valid
neurons = nf.explode(graph, "hidden")
one, other = nf.Run(graph), nf.Run(neurons)
assert [line["cost"] for line in one.train(epochs=40)] == [
    line["cost"] for line in other.train(epochs=40)]
assert one.machine.tape.calls == () or not one.machine.tape.calls  # no Python on the way
"""
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True,
                           text=True, check=False)  # fmt: skip
    assert found.returncode == 0, found.stderr


def test_the_sample_plugins_manifest_is_up_to_date(home, monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLE))
    import nodeflow_features as features

    path = EXAMPLE / "nodeflow_features" / "nodeflow-plugin.json"
    expected = manifest_of([features.radial_basis, features.fourier])
    assert path.read_text("utf-8") == expected
    said = finding.read(path).types["fourier"]
    assert said.inputs == (Port("z"),)
    sys.modules.pop("nodeflow_features")


def test_a_plugins_function_trains_at_the_speed_of_a_built_in(home):
    """Both are rows of the kernel: no call into Python for either."""
    text = (
        TYPE.format(name="triple").replace(', no_backward="it is a test"', "")
        + """

from nodeflow.engine.kernel.language import Double
from nodeflow.engine.lowering import compute_by
from nodeflow.nodes.arithmetic import times


@triple.backward
def _(blame, z, a):
    return {"z": times(3.0, blame)}


def of_a_number(z: Double) -> Double:
    return 3.0 * z


compute_by(triple, of_a_number)
"""
    )
    write(home, "mine", text)
    plugins.enable("mine")
    x, y = nf.dataset(source="xor")
    z = nf.weighted_sum(x, nf.parameter(shape=(1, 2)))
    graph = nf.Graph.of(nf.gradient_descent(nf.squared_error(nf.triple(z), y), rate=0.01))
    run = nf.Run(graph)
    assert not run.machine.tape.calls
    assert nf.check(graph).valid


def test_a_new_network_knows_the_types_of_plugins_that_are_on(tmp_path):
    """In a process of its own: nothing has imported them before."""
    folder = tmp_path / "nodeflow" / "nodes"
    folder.mkdir(parents=True)
    (folder / "mine.py").write_text(TYPE.format(name="bent_line"), "utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment |= dict.fromkeys(("XDG_CONFIG_HOME", "XDG_DATA_HOME"), str(tmp_path))
    path = tmp_path / "net.json"
    for words in (
        ["plugins", "enable", "mine"],
        ["new", str(path), "--layers", "2-3-1", "--activation", "bent_line"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "nodeflow", *words],
            capture_output=True, text=True, check=False, env=environment,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert '"bent_line"' in path.read_text("utf-8")


def test_a_worker_without_the_plugin_of_a_type_says_so(home):
    """Whoever sends a graph and whoever computes it have the same types, or nothing is computed."""
    from nodeflow.sweeps.cluster import fault_of
    from nodeflow.sweeps.engine import engine_digest

    file = write(home, "mine", TYPE.format(name="triple"), types=("triple",))
    plugins.enable("mine")
    graph = nf.Graph.of(nf.triple(nf.constant(value=[1.0]), id="t"))
    known = engine_digest(graph)
    assert known != engine_digest(nf.Graph.of(nf.constant(value=[1.0])))
    assert fault_of(graph, known) == ""
    file.write_text(file.read_text("utf-8").replace("3 * z", "4 * z"), "utf-8")
    assert "or another plugin" in fault_of(graph, known)
    plugins.disable("mine")
    assert "a worker has no node type 'triple'" in fault_of(graph, known)
    assert "plugins enable mine" in fault_of(graph, known)


def test_a_damaged_list_of_what_is_on_is_not_written_over(home, capsys):
    write(home, "mine", TYPE.format(name="triple"))
    enabling.config_file().write_text('{"enabled": ["other"', "utf-8")
    assert main(["plugins", "enable", "mine"]) == 1
    assert "is damaged, and holds which plugins are on" in capsys.readouterr().err
    assert enabling.config_file().read_text("utf-8") == '{"enabled": ["other"'
