"""The page as a widget: in JupyterLab and marimo, in a browser, with Python on the other side."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from html import escape
from pathlib import Path
from urllib.request import Request, urlopen

import numpy as np
import pytest
from test_lessons import LESSONS
from test_page_lessons import done_in

import nodeflow as nf
from nodeflow.errors import ExportError, GraphError, NodeflowError, RunError
from nodeflow.export import live
from nodeflow.export.pagestate import moment_of
from nodeflow.files import loads, whole
from nodeflow.lessons import Marker, settings_changed

with suppress(ModuleNotFoundError):  # then the mark says what becomes of the tests
    import nbformat
    from nbclient import NotebookClient
    from nbconvert import HTMLExporter, LatexExporter

pytestmark = [
    pytest.mark.programs("anywidget", "jupyterlab", "marimo", "nbconvert"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
VIEW = "application/vnd.jupyter.widget-view+json"
EXAMPLES = Path(__file__).parent.parent / "examples"


def held(weights):
    return {key: np.asarray(value, np.float64).tobytes() for key, value in weights.items()}


# --- Python alone -------------------------------------------------------------------------------


def test_a_widget_is_assigned_in_python():
    graph = nf.sample("xor")
    widget, run = nf.Widget(graph), nf.Run(graph)
    assert widget.graph is graph
    assert held(widget.weights) == held(run.weights)
    widget.moment = {"epoch": 3, "sample": 2, "node": "hidden"}
    run.goto(3, 2, "hidden")
    assert widget.moment == moment_of(run) == moment_of(widget.run)
    assert held(widget.weights) == held(run.weights)
    assert widget.run["hidden.z"].tobytes() == run["hidden.z"].tobytes()
    widget.weights = {"theta2.value": [[0.5, -0.0]]}
    run.set_weights({"theta2.value": [[0.5, -0.0]]})
    assert widget.moment == moment_of(run)
    assert held(widget.weights) == held(run.weights)
    widget.moment = "2"  # before that change, and then beyond it
    before = nf.Run(graph)
    before.goto(2)
    assert held(widget.weights) == held(before.weights)
    widget.moment = "7:1:cost"
    run.goto(7, 1, "cost")
    assert held(widget.weights) == held(run.weights)
    other = graph.set("train", rate=0.5)
    widget.graph = other
    assert widget.graph is other
    assert widget.moment["number"] == 0
    widget.graph = run  # a run's moment and weights come with it
    assert held(widget.weights) == held(run.weights)
    assert widget.moment == moment_of(run)
    assert not next(iter(widget.weights.values())).flags.writeable


def test_what_a_page_says_is_what_the_widget_has():
    graph = nf.sample("xor")
    widget, run = nf.Widget(graph), nf.Run(graph)
    seen = []
    widget.observe(lambda change: seen.append(change["new"]), "moment")
    run.train(2)
    run = run.fork(graph.set("train", rate=0.25))
    run.set_weights({"bias2.value": [-0.0]})
    run.train(1)
    run.step()
    state = {
        "seed": 0, "batch": 1, "base": [], "number": run.schedule.number(run.position),
        "events": [[8, "train.rate", 0.25], [8, "bias2.value", ["-0"]]],
    }  # fmt: skip
    told = nf.Widget(run).get_state()["weights"]
    widget.set_state({"_state": state, "moment": moment_of(run), "weights": told})
    assert seen == [moment_of(run)]
    assert held(widget.weights) == held(run.weights) == held(widget.run.weights)
    assert widget.graph == graph.set("train", rate=0.25)
    assert moment_of(widget.run) == widget.moment
    widget.set_state({"_state": {**state, "seed": 4, "batch": 2, "events": [], "number": 5}})
    assert (widget.graph.training.seed, widget.graph.training.batch) == (4, 2)
    assert held(widget.run.weights) == held(nf.Run(graph, seed=4, batch=2).weights)


def test_a_page_that_says_something_while_a_cell_is_running_waits_for_its_assignments():
    """Kernels with subshells may take what a page says in another thread."""
    graph = nf.sample("xor")
    widget, run = nf.Widget(graph), nf.Run(graph)
    told = [{**widget._state, "number": number} for number in range(40)]

    def talk():
        for state in told * 3:
            widget.set_state({"_state": dict(state), "moment": None})

    page = threading.Thread(target=talk)
    page.start()
    while page.is_alive():
        with pytest.raises(RunError):
            widget.moment = {"epoch": 2, "sample": 1, "node": "nobody"}
    page.join()
    run.goto(2, 1, "hidden")
    widget.moment = {"epoch": 2, "sample": 1, "node": "hidden"}
    assert widget.moment == moment_of(run) == moment_of(widget.run)
    assert held(widget.weights) == held(run.weights)


def test_what_an_earlier_page_still_says_is_of_no_graph_that_is_shown():
    """It was under way when Python gave another graph; the page is told what is shown now."""
    widget = nf.Widget(nf.sample("lessons/why-not-all-zeros"))
    come = {"done": [], "skipped": [0, 1], "unlocked": [], "moment": 0, "wired": []}
    late = {**widget.get_state()["_state"], "number": 3, "lesson": come}
    other = nf.sample("lessons/do-i-need-the-bias")
    widget.graph = other
    before, sent = widget.get_state(), []
    widget.send_state = sent.append
    widget.set_state({"_state": late, "moment": {"number": 3}})
    assert widget.get_state() == before
    assert sent == [["_state", "moment", "weights"]]
    mine = {**before["_state"], "number": 2}
    widget.set_state({"_state": mine})
    assert widget.get_state()["_state"]["number"] == 2
    assert widget.graph == other


BAD = [
    (lambda w: setattr(w, "moment", {"epoch": 1, "node": "hiden"}), "did you mean 'hidden'"),
    (lambda w: setattr(w, "moment", "soon"), "'soon' is not EPOCH"),
    (lambda w: setattr(w, "weights", {"theta2.value": [1]}), "'theta2.value' is 1×2; 1 cannot"),
    (lambda w: setattr(w, "weights", {"theta9.value": [1]}), "no parameter 'theta9.value'"),
    (lambda w: setattr(w, "weights", {"theta2.value": [[1, np.nan]]}), "cannot hold NaN"),
    (lambda w: setattr(w, "weights", [1]), "weights are given by address"),
    (lambda w: setattr(w, "weights", None), "weights are given by address"),
    (lambda w: setattr(w, "moment", None), "None is no moment"),
    (lambda w: setattr(w, "graph", None), "a widget shows a graph or a run, not NoneType"),
    (lambda w: setattr(w, "graph", "xor"), "a widget shows a graph or a run, not str"),
]


@pytest.mark.parametrize(("act", "sentence"), BAD)
def test_what_cannot_be_assigned_is_said_and_changes_nothing(act, sentence):
    widget = nf.Widget(nf.sample("xor"))
    widget.moment = 30
    before = widget.get_state()
    with pytest.raises(NodeflowError) as caught:
        act(widget)
    assert sentence in str(caught.value)
    assert widget.get_state() == before


def test_what_a_page_cannot_compute_is_played_from_a_recording():
    wide = np.random.default_rng(0).normal(size=(400, 60))
    x, y = nf.dataset(nf.hold((wide, wide[:, :1])), id="data")
    z = nf.weighted_sum(x, nf.parameter(shape=(40, 60)), id="wide")
    cost = nf.squared_error(nf.weighted_sum(z, nf.parameter(shape=(1, 40))), y)
    graph = nf.Graph.of(nf.gradient_descent(cost), name="large", batch="all", epochs=1)
    with pytest.raises(ExportError, match=r"'wide' is a product .* recorded=True"):
        nf.Widget(graph)
    widget = nf.Widget(graph, recorded=True)
    assert widget.graph is graph
    assert "srcdoc" in widget._repr_html_()
    with pytest.raises(ExportError, match="plays a recording has no run"):
        _ = widget.run
    with pytest.raises(ExportError, match="plays a recording has no moment"):
        widget.moment = "1"
    with pytest.raises(GraphError):
        nf.Widget(3)


def test_a_view_of_the_widget_goes_where_it_is_needed(monkeypatch):
    widget = nf.Widget(nf.sample("one-neuron"))
    assert {VIEW, "text/html", "text/plain", "application/pdf"} == set(
        widget._repr_mimebundle_()[0]
    )

    class Shell:
        kernel = object()

    monkeypatch.setattr("IPython.get_ipython", lambda: Shell)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.delenv("VSCODE_PID", raising=False)
    assert VIEW not in widget._repr_mimebundle_()[0]
    monkeypatch.setitem(sys.modules, "google.colab", object())
    assert VIEW in widget._repr_mimebundle_()[0]


@pytest.mark.parametrize(
    ("name", "value"), [("VSCODE_PID", "1"), ("JPY_SESSION_NAME", "/home/a/b-jvsc-7c65.ipynb")]
)
def test_in_vs_code_the_page_is_an_output_of_its_own_and_plays_without_the_widget(
    monkeypatch, name, value
):
    """Of an output that has a view VS Code shows nothing once the widget is gone."""
    monkeypatch.setenv("PYTHONPATH", str(Path(nf.__file__).parent.parent))
    monkeypatch.setenv(name, value)
    made = notebook("import nodeflow as nf\nnf.Widget(nf.sample('one-neuron'))")
    NotebookClient(made, kernel_name="python3", timeout=300).execute()
    page, view = (each["data"] for each in made.cells[0].outputs)
    assert set(page) == {"text/html", "text/plain", "application/pdf"}
    assert "srcdoc" in page["text/html"]
    assert set(view) == {VIEW, "text/plain"}
    assert view["text/plain"] == ""


def test_the_document_shows_what_can_be_done():
    shown = (EXAMPLES.parent / "docs" / "notebooks.md").read_text("utf-8")
    names = {}
    exec(re.search(r"```py\n(.*?)```", shown, re.DOTALL)[1], names)
    widget = names["widget"]
    for name in re.findall(r"\| `widget\.(\w+)` \|", shown):
        assert getattr(widget, name) is not None


# --- in a browser -------------------------------------------------------------------------------

FRAMES = """(() => {
  const all = (root) => [...root.querySelectorAll("*")].flatMap((each) => [
    ...(each.tagName === "IFRAME" ? [each] : []),
    ...(each.shadowRoot ? all(each.shadowRoot) : [])]);
  return all(document).filter((each) => each.contentWindow?.nodeflow?.moment);
})()"""


@pytest.fixture(scope="module")
def tall(chromium):
    """The browser with room for a whole notebook."""
    chromium.size(1300, 1400)
    return chromium


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextmanager
def server(folder, *command):
    """Start a server and end it with all that it started."""
    env = {**os.environ, "HOME": str(folder), "JUPYTER_CONFIG_DIR": str(folder / "config")}
    env["PYTHONPATH"] = str(Path(nf.__file__).parent.parent)
    for name in [key for key in env if key.startswith(("JPY_", "VSCODE"))]:
        del env[name]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], env=env, stdout=log, stderr=log, cwd=folder,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def answers(url):
    with suppress(OSError), urlopen(url, timeout=5):
        return True
    return False


def until(condition, what, seconds=90):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"it never came to be: {what}"
        time.sleep(0.1)


def visit(page, url):
    page.send("Page.navigate", url="about:blank")
    page.wait("location.href === 'about:blank'")  # a page may have asked whether to leave it
    page.problems.clear()
    page.requests.clear()
    page.send("Page.navigate", url=url)


def wait(page, condition):
    """Wait for what another program takes its time for."""
    page.wait(condition, 90)


def press(page, selector, frame=0):
    """Press what is in a page's frame, with the mouse."""
    x, y = page.run(
        f"""(() => {{
          const frame = {FRAMES}[{frame}];
          const found = frame.contentDocument.querySelector("{selector}");
          frame.scrollIntoView({{ block: "nearest" }});
          const outer = frame.getBoundingClientRect(), inner = found.getBoundingClientRect();
          return [outer.x + inner.x + inner.width / 2, outer.y + inner.y + inner.height / 2];
        }})()"""
    )
    page.mouse("moved", x, y)
    page.mouse("pressed", x, y)
    page.mouse("released", x, y)


def of_page(page, script, frame=0):
    return page.run(f"{FRAMES}[{frame}].contentWindow.nodeflow.{script}")


def wait_for(page, script, frame=0, seconds=90):
    # Found and asked at once: a widget may put another frame into the place of this one.
    asked = f"(frame => frame && frame.contentWindow.nodeflow.{script})({FRAMES}[{frame}])"
    until(lambda: page.run(asked), f"{script}; {page.problems}", seconds)


CELLS = (
    "import nodeflow as nf\nwidget = nf.Widget(nf.sample('xor'))\nwidget",
    "print('seen', widget.moment['number'], widget.run['hidden.z'].tolist(), "
    "widget.weights['theta1.value'].tolist())",
    "widget.moment = '5:1:hidden'\nwidget.weights = {'theta2.value': [[0.5, 0.25]]}\nprint('set')",
    "nf.sample('xor')",
)


def cell(page, number):
    """Execute a cell of the notebook in JupyterLab, and return what it wrote."""
    script = f"document.querySelectorAll('.jp-Notebook .jp-CodeCell')[{number}]"
    page.run(f"{script}.querySelector('.jp-InputPrompt').textContent = '[*]:'")  # not its last one
    x, y, height = page.run(
        f"""(() => {{ const found = {script}.querySelector(".jp-InputArea-editor");
          found.scrollIntoView({{ block: "center" }});
          const box = found.getBoundingClientRect(); return [box.x, box.y, box.height];
        }})()"""
    )
    page.mouse("pressed", x + 30, y + height / 2)
    page.mouse("released", x + 30, y + height / 2)
    for kind in ("rawKeyDown", "keyUp"):
        page.send("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter",
                  windowsVirtualKeyCode=13, modifiers=2)  # fmt: skip
    wait(page, f"/\\[\\d+\\]/.test({script}.querySelector('.jp-InputPrompt').textContent)")
    return page.run(f"{script}.querySelector('.jp-OutputArea').innerText")


def save(page, path):
    """Save the notebook with its outputs; a page that is left with changes would ask."""
    for kind in ("rawKeyDown", "keyUp"):
        page.send("Input.dispatchKeyEvent", type=kind, key="s", code="KeyS",
                  windowsVirtualKeyCode=83, modifiers=2)  # fmt: skip
    until(lambda: "srcdoc" in path.read_text("utf-8"), "the notebook is saved")
    return path


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder, port = tmp_path_factory.mktemp("lab"), free_port()
    command = (
        "jupyterlab", "--allow-root", "--no-browser", f"--port={port}",
        "--ServerApp.port_retries=0",
        "--IdentityProvider.token=t", "--LabApp.news_url=", "--LabApp.check_for_updates_class="
        "jupyterlab.NeverCheckForUpdate", f"--ServerApp.root_dir={folder}",
    )  # fmt: skip
    with server(folder, *command):
        until(lambda: answers(f"http://127.0.0.1:{port}/api?token=t"), "JupyterLab answers")
        yield folder, port


def open_in_lab(page, lab, name):
    _, port = lab
    visit(page, f"http://127.0.0.1:{port}/lab/tree/{name}?token=t&reset")
    wait(page, "document.querySelectorAll('.jp-Notebook .jp-CodeCell').length > 3")


def end_kernels(lab):
    _, port = lab
    sessions = f"http://127.0.0.1:{port}/api/sessions"
    with urlopen(f"{sessions}?token=t") as answer:
        for each in json.load(answer):
            request = Request(f"{sessions}/{each['id']}?token=t", method="DELETE")
            with urlopen(request):
                pass


def notebook(*sources):
    found = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in sources])
    found.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    return found


def test_jupyterlab_steps_and_python_sees_it_and_back_again(tall, lab):
    folder, _ = lab
    page, run = tall, nf.Run(nf.sample("xor"))
    nbformat.write(notebook(*CELLS), folder / "widget.ipynb")
    open_in_lab(page, lab, "widget.ipynb")
    wait(page, "document.body.innerText.includes('| Idle')")
    cell(page, 0)
    wait_for(page, "moment().number === 0")
    for count in range(1, 13):
        press(page, "#next")
        wait_for(page, f"moment().number === {count}")
    for _ in range(12):
        run.step()
    weights = run.weights["theta1.value"].tolist()
    wanted = f"seen 12 {run['hidden.z'].tolist()} {weights}".split()
    until(lambda: cell(page, 1).split() == wanted, "Python sees what the page shows")
    assert "set" in cell(page, 2)
    run.goto(5, 1, "hidden")
    run.set_weights({"theta2.value": [[0.5, 0.25]]})
    wait_for(page, f"moment().number === {moment_of(run)['number']}")
    assert held(of_page(page, "weights()")) == held(run.weights)
    of_page(page, "train(3)")
    run.train(3)
    assert held(of_page(page, "weights()")) == held(run.weights)
    cell(page, 3)
    wait(page, "document.querySelector('.nodeflow-drawing svg')?.checkVisibility()")
    drawn = page.run("document.querySelector('.jp-OutputArea .nodeflow-drawing').innerText")
    assert "hidden_a" in drawn

    # Saved as it is, without its kernel: it plays all the same.
    saved = save(page, folder / "widget.ipynb")
    end_kernels(lab)
    shutil.copy(saved, folder / "again.ipynb")  # signed by what is in it, not by its name
    open_in_lab(page, lab, "again.ipynb")
    wait_for(page, "moment().number === 0")
    press(page, "#next")
    wait_for(page, "moment().number === 1")

    # From somebody else: not trusted, so nothing runs, and there is a drawing.
    strange = nbformat.read(saved, 4)
    strange.cells[0].source += "\n# changed"
    for each in strange.cells:
        each.metadata.pop("trusted", None)
    (folder / "strange.ipynb").write_text(nbformat.writes(strange), encoding="utf-8")
    (folder / "strange.ipynb").write_text(
        (folder / "strange.ipynb").read_text("utf-8").replace("12 nodes", "twelve nodes"), "utf-8"
    )
    end_kernels(lab)
    open_in_lab(page, lab, "strange.ipynb")
    wait(page, "document.querySelectorAll('.jp-OutputArea img.nodeflow-image').length === 2")
    assert page.run("document.querySelectorAll('.jp-OutputArea iframe').length") == 0
    assert page.run("document.querySelector('.jp-OutputArea img.nodeflow-image').naturalWidth") > 0
    assert (
        page.run("[...document.querySelectorAll('.jp-OutputArea-output')].at(-1).innerText.trim()")
        == "graph 'xor', twelve nodes, 13 wires"
    )


MANY = (
    "import nodeflow as nf\nrun = nf.Run(nf.sample('xor'))\na = nf.Widget(run, height=400)\na",
    "b = nf.Widget(run, height=400)\nb",
    "a",
    "print('seen', a.moment['number'], b.moment['number'], b.graph.training.seed, "
    "run.schedule.number(run.position))",
    "a.moment = 40\nprint('set')",
    "a.graph = nf.sample('mazur')\nprint('another')",
)


def test_several_widgets_and_outputs_a_cell_run_again_and_a_kernel_that_is_restarted(tall, lab):
    folder, port = lab
    nbformat.write(notebook(*MANY), folder / "many.ipynb")
    tall.size(1300, 2400)  # what is not in view JupyterLab may take away
    open_in_lab(tall, lab, "many.ipynb")
    wait(tall, "document.body.innerText.includes('| Idle')")

    def frames_show(*wanted):
        def found():
            return tall.run(
                f"{FRAMES}.map(({{ contentWindow: {{ nodeflow }} }}) => "
                "[nodeflow.graph().name, nodeflow.moment().number])"
            )

        until(lambda: found() == [list(each) for each in wanted], f"{wanted}, not {found()}")

    def python_sees(*wanted):
        until(lambda: cell(tall, 3).split() == ["seen", *map(str, wanted)], f"Python sees {wanted}")

    for number in range(3):
        cell(tall, number)
        wait_for(tall, "moment().number === 0", frame=number)

    # Two widgets of one run are two: neither the other nor the run follows.
    of_page(tall, "step(3)")
    of_page(tall, "reset(7)", frame=1)
    of_page(tall, "step(2)", frame=1)
    frames_show(["xor", 3], ["xor", 2], ["xor", 3])
    python_sees(3, 2, 7, 0)

    # One widget in two outputs is one, whoever moves, while it trains as well.
    of_page(tall, "step(4)", frame=2)
    frames_show(["xor", 7], ["xor", 2], ["xor", 7])
    of_page(tall, "train(200)")
    steps = of_page(tall, "moment().number")
    assert of_page(tall, "moment().epoch") == 200
    frames_show(["xor", steps], ["xor", 2], ["xor", steps])
    python_sees(steps, 2, 7, 0)
    cell(tall, 4)
    frames_show(["xor", 40], ["xor", 2], ["xor", 40])

    # Another graph comes while one is trained: what is still said of that one is of no graph here.
    tall.run(f"void {FRAMES}[0].contentWindow.nodeflow.train(1000000)")
    cell(tall, 5)
    frames_show(["mazur", 0], ["xor", 2], ["mazur", 0])
    python_sees(0, 2, 7, 0)

    # A cell is run again: its widget is a new one, and the old one lives on where it is shown.
    cell(tall, 0)
    frames_show(["xor", 0], ["xor", 2], ["mazur", 0])
    of_page(tall, "step(6)")
    of_page(tall, "step()", frame=2)
    frames_show(["xor", 6], ["xor", 2], ["mazur", 1])
    python_sees(6, 2, 7, 0)

    # The kernel is restarted: the pages go on alone, and a cell that is run again has a new one.
    with urlopen(f"http://127.0.0.1:{port}/api/kernels?token=t") as answer:
        kernels = json.load(answer)
    for each in kernels:
        address = f"http://127.0.0.1:{port}/api/kernels/{each['id']}/restart?token=t"
        with urlopen(Request(address, method="POST")):
            pass
    of_page(tall, "step()")
    frames_show(["xor", 7], ["xor", 2], ["mazur", 1])
    cell(tall, 0)
    cell(tall, 1)
    frames_show(["xor", 0], ["xor", 0], ["mazur", 1])
    of_page(tall, "step(5)")
    of_page(tall, "step()", frame=2)
    python_sees(5, 0, 0, 0)
    assert tall.problems == []
    tall.size(1300, 1400)
    end_kernels(lab)


AS_IN_VS_CODE = (
    "import os\nos.environ['VSCODE_PID'] = '1'\nimport nodeflow as nf\n"
    "widget = nf.Widget(nf.sample('one-neuron'), height=400)\nwidget",
    "print('seen', widget.moment['number'])",
    "widget.moment = 7\nprint('set')",
    "print('end')",
)


def test_the_outputs_of_vs_code_are_one_page_and_live_where_a_widget_is_shown(tall, lab):
    """VS Code itself is not here: JupyterLab's widgets are given what it would be given."""
    folder, _ = lab
    nbformat.write(notebook(*AS_IN_VS_CODE), folder / "vscode.ipynb")
    open_in_lab(tall, lab, "vscode.ipynb")
    wait(tall, "document.body.innerText.includes('| Idle')")
    cell(tall, 0)
    wait_for(tall, "moment().number === 0")
    of_page(tall, "step(3)")
    until(lambda: cell(tall, 1).split() == ["seen", "3"], "Python sees what the page shows")
    cell(tall, 2)
    wait_for(tall, "moment().number === 7")
    assert tall.run(f"{FRAMES}.length") == 1  # the view is empty
    end_kernels(lab)


def test_a_page_that_asks_whether_to_leave_it_is_left(tall):
    """JupyterLab asks where something is not saved, and a browser stands still until an answer."""
    visit(tall, "data:text/html,<button style='width:300px;height:300px'>touched</button>")
    wait(tall, "Boolean(document.querySelector('button'))")
    tall.run("onbeforeunload = (event) => event.preventDefault()")
    tall.mouse("pressed", 100, 100)  # untouched pages may not ask
    tall.mouse("released", 100, 100)
    visit(tall, "data:text/html,<p>another</p>")
    wait(tall, "Boolean(document.querySelector('p'))")
    tall.run("void setTimeout(() => alert('held up'))")
    until(lambda: tall.run("1") and tall.problems == ["alert: held up"], "it is said")


MARIMO = """import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo
    import nodeflow as nf

    widget = mo.ui.anywidget(nf.Widget(nf.sample("xor"), height=500))
    widget
    return nf, widget


@app.cell
def _(mo, widget):
    found = widget.weights["theta1.value"].tolist()
    mo.md(f"seen {widget.value['moment']['number']} {widget.run['hidden.z'].tolist()} {found}")


@app.cell
def _(mo):
    button = mo.ui.button(label="go", on_click=lambda _: 1)
    button
    return (button,)


@app.cell
def _(button, widget):
    if button.value:
        widget.widget.moment = "5:1:hidden"


@app.cell
def _(nf):
    nf.sample("xor")


@app.cell
def _(nf):
    nf.Widget(nf.sample("mazur"))


if __name__ == "__main__":
    app.run()
"""


def test_marimo_steps_and_python_sees_it_and_back_again(tall, tmp_path):
    page, port, run = tall, free_port(), nf.Run(nf.sample("xor"))
    program = MARIMO.replace("return nf, widget", "return mo, nf, widget")
    (tmp_path / "app.py").write_text(program, encoding="utf-8")
    command = ("marimo", "run", "--headless", "--no-token", "-p", str(port), "app.py")
    with server(tmp_path, *command):
        until(lambda: answers(f"http://127.0.0.1:{port}/"), "marimo answers")
        visit(page, f"http://127.0.0.1:{port}/")
        wait_for(page, "moment().number === 0")
        wait_for(page, "moment().number === 0", frame=1)  # also a widget that nothing wraps
        for count in range(1, 13):
            press(page, "#next")
            wait_for(page, f"moment().number === {count}")
            run.step()
        weights = run.weights["theta1.value"].tolist()
        wanted = f"seen 12 {run['hidden.z'].tolist()} {weights}"
        wait(page, f"document.body.innerText.includes({json.dumps(wanted)})")
        page.run("[...document.querySelectorAll('marimo-button')].map((each) => "
                 "(each.shadowRoot ?? each).querySelector('button')).at(-1).click()")  # fmt: skip
        run.goto(5, 1, "hidden")
        wait_for(page, f"moment().number === {moment_of(run)['number']}")
        assert held(of_page(page, "weights()")) == held(run.weights)
        wait(page, "document.querySelector('.nodeflow-drawing svg')?.checkVisibility()")
        x, _, width, _ = page.box(".nodeflow-drawing svg")
        assert x >= 0
        assert x + width <= 1300


# --- with nothing but what the protocol of anywidget gives ---------------------------------------

ALONE = """<!doctype html><meta charset="utf-8"><body style="margin: 0"><script type="module">
const { module, state } = JSON.parse(STATE), heard = new Set();
const tell = (what) => parent.postMessage(what, "*");
for (const kind of ["error", "unhandledrejection"]) {
  addEventListener(kind, ({ message, reason }) => tell({ error: message ?? String(reason) }));
}
const model = {
  get: (name) => state[name],
  set: (name, value) => { state[name] = value; },
  save_changes: () => tell({ state: JSON.parse(JSON.stringify(state)) }),
  on: (event, act) => heard.add([event, act]),
  off: () => heard.clear(),
};
addEventListener("message", ({ data, source }) => { // as from Python
  if (source !== parent) return;
  Object.assign(state, data);
  for (const [event, act] of heard) if (event === "change:_state") act();
});
const url = URL.createObjectURL(new Blob([module], { type: "text/javascript" }));
const { default: widget } = await import(url);
await widget.initialize({ model });
const el = document.createElement("div"); // as Shiny does: the view comes into the document late
await widget.render({ model, el });
document.body.append(el);
const storage = () => { try { return String(localStorage); } catch { return "none"; } };
tell({ origin, storage: storage() });
</script>"""
PROTOCOL = ("_beside", "_id", "_page", "_state", "_title", "height", "moment", "weights")


def test_a_widget_lives_where_frames_have_no_origin(tall, tmp_path):
    """As in the outputs of Colab: no storage, no other frame within reach, nothing but the model.

    Colab itself cannot be had: a frame with `sandbox` and without `allow-same-origin` is stricter.
    """
    widget, run = nf.Widget(nf.sample("xor")), nf.Run(nf.sample("xor"))
    path = tmp_path / "page.html"
    path.write_text(live.page(widget.graph), encoding="utf-8")
    tall.size(1200, widget.height)
    visit(tall, path.as_uri())
    tall.wait("document.documentElement?.dataset.ready === ''")
    x, y, width, height = tall.box("#next")
    told = widget.get_state()
    state = json.dumps({"module": told["_esm"], "state": {key: told[key] for key in PROTOCOL}})
    inner = ALONE.replace("STATE", json.dumps(state).replace("</", "<\\/"))
    path.write_text(
        '<!doctype html><meta charset="utf-8"><body style="margin: 0">'
        "<script>told = []; onmessage = ({ data }) => told.push(data);</script>"
        f'<iframe sandbox="allow-scripts" srcdoc="{escape(inner)}" '
        'style="border: 0; width: 1200px; height: 640px"></iframe>',
        encoding="utf-8",
    )
    visit(tall, path.as_uri())
    tall.wait("globalThis.told?.some(({ origin }) => origin)")
    found = tall.run("told.find(({ origin }) => origin)")
    assert found == {"origin": "null", "storage": "none"}

    def at_number(number):
        return tall.wait(f"told.findLast(({{ state }}) => state)?.state._state.number === {number}")

    def stepped():
        tall.mouse("moved", x + width / 2, y + height / 2)
        tall.mouse("pressed", x + width / 2, y + height / 2)
        tall.mouse("released", x + width / 2, y + height / 2)
        return tall.run("told.findLast(({ state }) => state)?.state._state.number ?? 0") >= 8

    until(stepped, "Python hears of eight steps")  # also of those before the page was joined
    tall.run("new Promise((done) => setTimeout(done, 500))")
    for _ in range(tall.run("told.findLast(({ state }) => state).state._state.number")):
        run.step()
    said = tall.run("told.findLast(({ state }) => state).state")
    widget.set_state({key: said[key] for key in ("_state", "moment", "weights")})
    assert widget.moment == moment_of(run)
    assert widget.run["hidden.z"].tobytes() == run["hidden.z"].tobytes()
    widget.moment = "5:1:hidden"
    widget.weights = {"theta2.value": [[0.5, -0.0]]}
    run.goto(5, 1, "hidden")
    run.set_weights({"theta2.value": [[0.5, -0.0]]})
    told = {key: value for key, value in widget.get_state().items() if key in PROTOCOL}
    tall.run(f"document.querySelector('iframe').contentWindow.postMessage({json.dumps(told)}, '*')")
    number = widget.moment["number"]
    tall.run("new Promise((done) => setTimeout(done, 500))")
    tall.mouse("pressed", x + width / 2, y + height / 2)
    tall.mouse("released", x + width / 2, y + height / 2)
    at_number(number + 1)
    said = tall.run("told.findLast(({ state }) => state).state")
    widget.set_state({key: said[key] for key in ("_state", "moment", "weights")})
    assert held(widget.weights) == held(run.weights)
    assert tall.run("told.filter(({ error }) => error)") == []
    assert tall.problems == []
    assert all(url.startswith(("file:", "data:", "blob:", "about:")) for url in tall.requests)
    tall.size(1300, 1400)


# --- a saved notebook ---------------------------------------------------------------------------


def test_an_executed_notebook_plays_as_a_page_and_is_printed(tall, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(nf.__file__).parent.parent))
    made = notebook(CELLS[0], "widget.moment = '2:1:hidden'\nwidget", CELLS[3], "nf.Run(_)")
    NotebookClient(made, kernel_name="python3", timeout=300).execute()
    outputs = [each.outputs[0]["data"] for each in made.cells]
    assert [VIEW in each for each in outputs] == [False] * 4
    path = tmp_path / "page.html"
    path.write_text(HTMLExporter().from_notebook_node(made)[0], encoding="utf-8")
    visit(tall, path.as_uri())
    run = nf.Run(nf.sample("xor"))
    run.goto(2, 1, "hidden")
    wait_for(tall, "moment().number === 0")
    wait_for(tall, f"moment().number === {moment_of(run)['number']}", frame=1)
    press(tall, "#next", frame=1)
    run.step()
    wait_for(tall, f"moment().number === {moment_of(run)['number']}", frame=1)
    assert of_page(tall, "value('hidden_a.a')", frame=1) == run["hidden_a.a"].tolist()

    # On paper, as `nbconvert --to webpdf` prints it, the drawings stand in for the pages.
    shown = """["iframe[data-nodeflow]", ".nodeflow-still img"].map((each) =>
      [...document.querySelectorAll(each)].map((found) => found.checkVisibility()))"""
    assert tall.run(shown) == [[True, True], [False, False]]
    tall.send("Emulation.setEmulatedMedia", media="print")
    assert tall.run(shown) == [[False, False], [True, True]]
    tall.send("Emulation.setEmulatedMedia", media="")

    text, resources = LatexExporter().from_notebook_node(made)  # without Inkscape
    drawings = sorted(name for name in resources["outputs"] if name.endswith(".pdf"))
    assert len(drawings) == len(made.cells)
    assert all(Path(name).name in text for name in drawings)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.ipynb")), ids=lambda path: path.stem)
def test_examples_are_executed_as_notebooks_and_as_marimo(path, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(nf.__file__).parent.parent))
    monkeypatch.setenv("HOME", str(tmp_path))
    example = nbformat.read(path, 4)
    assert not any(each.get("outputs") for each in example.cells)  # they are made anew
    NotebookClient(example, kernel_name="python3", timeout=300).execute()
    said = [
        output["text"]
        for each in example.cells
        for output in each.get("outputs", ())
        if output["output_type"] == "stream"
    ]
    app = EXAMPLES / "marimo" / f"{path.stem}.py"
    again = tmp_path / app.name
    for command in (["marimo", "convert", path, "-o", again], ["marimo", "check", again]):
        made = subprocess.run(
            [sys.executable, "-m", *map(str, command)], capture_output=True, text=True, check=False
        )
        assert made.returncode == 0, made.stdout + made.stderr
    assert again.read_text("utf-8") == app.read_text("utf-8"), "convert it again: marimo convert"
    found = subprocess.run([sys.executable, app], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert found.stdout == "".join(said)


# --- lessons ------------------------------------------------------------------------------------


def same_run(page, widget, what):
    """Hold all values, weights and the moment of a page and of a widget's run equal."""
    run = widget.run
    assert widget.moment == moment_of(run)
    assert of_page(page, "moment()") == moment_of(run), what
    assert held(of_page(page, "weights()")) == held(run.weights), what
    for address, value in run.values.items():
        assert np.array_equal(of_page(page, f"value({json.dumps(address)})"), value), address


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_that_is_done_in_the_page_is_done_in_python(tall, tmp_path, path):
    """What the page tells is the run, the graph with its wires, and the answer to hand in."""
    graph = nf.load(path)
    widget = nf.Widget(graph)
    page_path = tmp_path / "page.html"
    page_path.write_text(f"<!doctype html>{widget._repr_html_()}", encoding="utf-8")
    visit(tall, page_path.as_uri())
    wait_for(tall, "moment().number === 0")
    done_in.folder = tmp_path
    inner = Framed(tall)
    if path.stem == "first-steps":  # what is the editor's business is left out
        of_page(tall, "goto(0, 0, 'hidden')")
    else:
        done_in(inner, graph, path.stem)
        assert of_page(tall, "lesson.task().index") == of_page(tall, "lesson.task().of")
    state = of_page(tall, "state()")
    widget.set_state({"_state": state, "moment": of_page(tall, "moment()")})
    same_run(tall, widget, path.stem)
    told, wanted = loads(json.dumps(of_page(tall, "lesson.answers()"))), widget.answer
    assert set(told.wires) == set(wanted.wires)
    assert told.extra["answers"] == wanted.extra["answers"]
    assert settings_changed(told, wanted) == {}
    assert set(widget.graph.wires) == set(wanted.wires)
    if path.stem != "first-steps":
        marks = Marker(graph).mark(loads(whole(wanted)))
        assert [mark.why for mark in marks.tasks if not mark.done] == []
        assert (marks.locked, marks.unlocked, marks.edited) == ((), (), ())

    # Another view of the widget takes it up: it opens where this one stands.
    page_path.write_text(f"<!doctype html>{widget._repr_html_()}", encoding="utf-8")
    visit(tall, page_path.as_uri())
    wait_for(tall, f"moment().number === {state['number']}")
    until(lambda: of_page(tall, "state()") == state, "the page opens where it stood")
    assert of_page(tall, "lesson.answers()")["answers"] == told.extra["answers"]
    of_page(tall, "back()")
    assert tall.problems == []


WIRED = "why-not-the-numeric-gradient"


def test_a_lesson_is_done_in_jupyterlab_and_handed_in_from_python(tall, lab, tmp_path):
    folder, _ = lab
    graph = nf.sample(f"lessons/{WIRED}")
    cells = (
        f"import nodeflow as nf\nwidget = nf.Widget(nf.sample('lessons/{WIRED}'))\nwidget",
        # Asked once: what is saved and what is counted are the same answer.
        "answer = widget.answer\nnf.save(answer, 'answer.json')\n"
        "print(len(answer.extra['answers']['tasks']), widget.moment['number'])",
        "widget.moment = 1\nprint('set')",
        "widget.graph = nf.sample('lessons/do-i-need-the-bias')\nprint('another')",
    )
    nbformat.write(notebook(*cells), folder / "lesson.ipynb")
    open_in_lab(tall, lab, "lesson.ipynb")
    wait(tall, "document.body.innerText.includes('| Idle')")
    cell(tall, 0)
    wait_for(tall, "moment().number === 0")
    done_in.folder = tmp_path
    done_in(Framed(tall), graph, WIRED)  # its wires open other forms of the page
    tasks, number = of_page(tall, "lesson.task().of"), of_page(tall, "moment().number")
    wanted = [str(tasks), str(number)]
    until(lambda: cell(tall, 1).split() == wanted, "Python has the answers")
    marks = Marker(graph).mark(nf.load(folder / "answer.json"))
    assert [mark.why for mark in marks.tasks if not mark.done] == []
    cell(tall, 2)
    wait_for(tall, "moment().number === 1")
    assert of_page(tall, "lesson.task().index") == tasks  # going back undoes no task
    press(tall, "#next")
    wait_for(tall, "moment().number === 2")
    cell(tall, 3)
    wait_for(tall, "graph().name === 'do I need the bias'")
    wait_for(tall, "lesson.task().index === 0")
    save(tall, folder / "lesson.ipynb")
    end_kernels(lab)


LESSON_IN_MARIMO = """import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo
    import nodeflow as nf

    widget = mo.ui.anywidget(nf.Widget(nf.sample("lessons/WIRED"), height=700))
    widget
    return mo, nf, widget


@app.cell
def _(mo, widget):
    widget.value
    mo.md(f"done {len(widget.answer.extra['answers']['tasks'])} of it")


if __name__ == "__main__":
    app.run()
"""


def test_a_lesson_is_done_in_marimo(tall, tmp_path):
    port, graph = free_port(), nf.sample(f"lessons/{WIRED}")
    (tmp_path / "app.py").write_text(LESSON_IN_MARIMO.replace("WIRED", WIRED), encoding="utf-8")
    command = ("marimo", "run", "--headless", "--no-token", "-p", str(port), "app.py")
    with server(tmp_path, *command):
        until(lambda: answers(f"http://127.0.0.1:{port}/"), "marimo answers")
        visit(tall, f"http://127.0.0.1:{port}/")
        wait_for(tall, "moment().number === 0")
        done_in.folder = tmp_path
        done_in(Framed(tall), graph, WIRED)
        tasks = of_page(tall, "lesson.task().of")
        wait(tall, f"document.body.innerText.includes('done {tasks} of it')")


class Framed:
    """A page in a frame of another page, with what `done_in` asks of it."""

    def __init__(self, page):
        self._page = page

    def run(self, script):
        return self._page.run(script.replace("nodeflow.", f"{FRAMES}[0].contentWindow.nodeflow."))

    def wait(self, condition):
        until(lambda: self.run(condition), condition)
