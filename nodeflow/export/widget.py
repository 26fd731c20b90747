"""The page that computes, as a widget of notebooks: what it stands for goes both ways.

A moment follows from few things: seed, batch, what was changed at which update, and how many steps
lie behind. They are the widget's state, as plain data. The page replays it, and so does Python,
which has the same bits: `widget.run` is a run that stands where the page stands.
"""

from __future__ import annotations

import os
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from html import escape
from importlib.resources import files
from secrets import token_hex
from threading import RLock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.engine.run import Run
from nodeflow.errors import ExportError, GraphError, RunError
from nodeflow.export import html, lessonpage, live, notebook
from nodeflow.export.html import packed
from nodeflow.export.pagestate import State, changed, go, moment_of, replayed, setting_all, state_of
from nodeflow.files import loads, whole
from nodeflow.graph import Graph
from nodeflow.lessons import Done, require_lesson, with_answers

try:
    import traitlets
    from anywidget import AnyWidget
except ImportError as error:
    raise ExportError("a widget needs anywidget: pip install 'nodeflow[notebook]'") from error

# A notebook that is not trusted is shown without any style, and so with the drawing alone.
_STILL_OR_PAGE = (
    ".nodeflow-still{display:none}"
    "@media print{.nodeflow-still,.nodeflow-still .nodeflow-image{display:block!important}"
    "iframe[data-nodeflow]{display:none!important}}"
)
_ESM = (files("nodeflow.export") / "widget.js").read_text("utf-8")


def _in_vscode() -> bool:
    return "VSCODE_PID" in os.environ or "-jvsc-" in os.environ.get("JPY_SESSION_NAME", "")


def _wants_view() -> bool:
    """Return whether a view of Jupyter's widgets is to be in an output, besides the page.

    JupyterLab saves no widgets unless it is told to, and prefers a view of a widget that is gone
    to a page that plays. It makes the widget itself without a view, and that links the page. Colab
    makes widgets where they are shown.
    """
    if "google.colab" in sys.modules:
        return True
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return getattr(shell, "kernel", None) is None


def _packed(weights: Mapping[str, NDArray[Any]], _widget: Any = None) -> dict[str, Any]:
    """Return weights as shapes and the bytes of float64, which JSON would not keep."""
    return {
        address: {
            "shape": list(value.shape),
            "data": b64encode(np.asarray(value, "<f8").tobytes()).decode("ascii"),
        }
        for address, value in weights.items()
    }


def _unpacked(weights: Mapping[str, Any], _widget: Any = None) -> dict[str, NDArray[Any]]:
    found = {}
    for address, told in weights.items():
        array = np.frombuffer(b64decode(told["data"]), "<f8").reshape(told["shape"])
        array.flags.writeable = False
        found[address] = array
    return found


def _form_of(graph: Graph, state: State) -> Graph:
    """Return the graph with the wires that were drawn in its lesson."""
    name = state.get("form")
    if not name:
        return graph
    return next(each.graph for each in lessonpage.forms(graph) if each.name == name)


class Widget(AnyWidget):  # type: ignore[misc]
    """A graph or a run as a page that computes, in a notebook.

    `moment`, `weights` and `graph` are what the page shows, and can be assigned: the page follows.
    `run` is a run that stands at the same moment, with the same bits. In a saved notebook the page
    plays without a kernel. A graph with a lesson is led through; `answer` is the graph to hand in.

        widget = nf.Widget(graph)
        widget                                  # at the end of a cell: the page
        widget.moment = {"epoch": 3, "sample": 2, "node": "hidden"}
        widget.weights = {"w.value": [[0.5]]}
        widget.run["hidden.z"]

    `rows`, `float32` and `theme` are those of `nodeflow export`; `height` is in pixels. Raises
    `ExportError` for what a page cannot compute; with `recorded` the page plays a recording, which
    has a graph, and neither moment nor weights.
    """

    _esm = _ESM
    _page = traitlets.Unicode().tag(sync=True)
    _state = traitlets.Dict().tag(sync=True)
    _title = traitlets.Unicode().tag(sync=True)
    _id = traitlets.Unicode().tag(sync=True)
    _beside = traitlets.Bool(False).tag(sync=True)
    height = traitlets.Int(640).tag(sync=True)
    moment = traitlets.Any().tag(sync=True)
    weights = traitlets.Any().tag(sync=True, to_json=_packed, from_json=_unpacked)
    graph = traitlets.Any().tag(
        sync=True, to_json=lambda graph, _: whole(graph), from_json=lambda text, _: loads(text)
    )

    def __init__(
        self,
        graph_or_run: Graph | Run,
        *,
        rows: int | None = None,
        float32: bool = False,
        theme: str = "auto",
        recorded: bool = False,
        height: int = 640,
    ) -> None:
        self._rows, self._theme, self._recorded = rows, theme, recorded
        self._dtype: Any = np.float32 if float32 else np.float64
        # JupyterLab has another thread take what the page says, also while a cell is running.
        self._lock = RLock()
        self._settled = 0  # above 0 while values are put in place that were worked out
        self._run: Run | None = None
        shown = self._shown(graph_or_run)
        with self._settling():
            super().__init__(height=height, _id=token_hex(8), **shown)

    # -- what is shown

    def _shown(self, given: Graph | Run) -> dict[str, Any]:
        """Take a graph or a run as what the page begins with; return the values of all traits."""
        if isinstance(given, Run):
            if self._recorded:
                raise ExportError("a recording is made of a graph: nf.Widget(run.graph, …)")
            dtype = given.machine.dtype
            origin, state = state_of(given)
        elif isinstance(given, Graph):
            dtype, origin = self._dtype, given
            state = {"seed": given.training.seed, "batch": given.training.batch,
                     "base": [], "events": [], "number": 0}  # fmt: skip
        else:
            raise GraphError(f"a widget shows a graph or a run, not {type(given).__name__}")
        if self._recorded:
            text = html.page(origin, theme=self._theme)
            found: dict[str, Any] = {"_state": {}, "moment": None, "weights": {}, "graph": origin}
        else:
            with live.sampled(origin, self._rows) as (_, said):
                pass
            if said and isinstance(given, Run):  # other rows are other moments
                state |= {"events": setting_all(0, given.weights), "number": 0}
            run = self._replayed(origin, state, dtype)
            # What an earlier page says is of another graph, so each has a name.
            state |= {"batch": run.batch, "page": token_hex(4)}
            text = self._text(origin, state, dtype)
            self._run, self._batch = run, run.batch
            found = {"_state": state, "moment": moment_of(run), "weights": run.weights,
                     "graph": self._graph_of(origin, state)}  # fmt: skip
        self._origin, self._dtype = origin, dtype
        return {"_page": packed(text.encode()), "_title": notebook.summary_of(origin), **found}

    def _text(self, origin: Graph, state: State, dtype: Any) -> str:
        single = bool(np.dtype(dtype) == np.float32)
        return live.page(origin, rows=self._rows, theme=self._theme, float32=single, state=state)

    def _replayed(self, origin: Graph, state: State, dtype: Any) -> Run:
        with live.sampled(_form_of(origin, state), self._rows) as (thin, _):
            return replayed(thin, state, dtype)

    def _graph_of(self, origin: Graph, state: State, *, typed: bool = False) -> Graph:
        """Return the graph with the settings, the seed and the batch that the page has.

        With `typed` it has the weights that somebody set by hand as well.
        """
        graph = _form_of(origin, state)
        for address, value in (*state["base"], *(event[1:] for event in state["events"])):
            key, _, name = address.rpartition(".")
            weights = key in graph.nodes and graph.nodes[key].is_parameter
            if typed or not (weights and name == "value"):
                graph = changed(graph, address, value)
        batch = graph.training.batch if state["batch"] == self._batch else state["batch"]
        training = replace(graph.training, seed=state["seed"], batch=batch)
        return graph if training == graph.training else replace(graph, training=training)

    @property
    def run(self) -> Run:
        """A run that stands where the page stands; what is done with it stays in Python."""
        self._require_engine("run")
        with self._lock:
            if self._run is None:
                self._run = self._replayed(self._origin, self._state, self._dtype)
            return self._run

    @property
    def answer(self) -> Graph:
        """The graph with what was done of its lesson: `nf.save` makes the file to hand in."""
        self._require_engine("answer")
        require_lesson(self._origin)
        with self._lock:
            origin, state = self._origin, self._state
        come = state.get("lesson") or {"done": [], "unlocked": []}
        graph = self._graph_of(origin, state, typed=True)
        done = [Done.read(each) for each in come["done"]]
        return with_answers(graph, done, come["unlocked"])

    def _require_engine(self, what: str) -> None:
        if self._recorded:
            raise ExportError(f"a page that plays a recording has no {what}")

    # -- what comes from the page, and what goes to it

    def __setattr__(self, name: str, value: Any) -> None:
        """Assign; what the page says meanwhile waits: while it is taken nothing is validated."""
        if name not in ("moment", "weights", "graph"):
            super().__setattr__(name, value)
            return
        with self._lock:
            if value is None and not self._settled:  # about None traitlets asks no validator
                refuse = {"moment": self._moment_set, "weights": self._weights_set}
                refuse.get(name, self._graph_set)(value)
            super().__setattr__(name, value)

    @contextmanager
    def _settling(self) -> Iterator[None]:
        with self._lock:
            self._settled += 1
            try:
                yield
            finally:
                self._settled -= 1

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what the page says; whatever follows from it is put in place."""
        with self._lock:
            self._take(sync_data)

    def _take(self, sync_data: dict[str, Any]) -> None:
        if "_state" not in sync_data:
            super().set_state(sync_data)
            return
        shown = self._state.get("page")
        if sync_data["_state"].get("page", shown) != shown:  # it was under way when the graph came
            self.send_state(["_state", "moment", "weights"])
            return
        with self._settling():
            super().set_state(sync_data)
            self._run = None
            graph = self._graph_of(self._origin, self._state)
            if graph != self.graph:
                self.graph = graph

    def _settle(self, run: Run, state: State) -> None:
        """Stand where a run stands; the page follows."""
        with self._settling(), self.hold_sync():
            self._run = run
            self.weights = run.weights
            self.moment = moment_of(run)
            self._state = {**state, "number": run.schedule.number(run.position)}

    @traitlets.validate("moment")
    def _moment_given(self, proposal: Any) -> Any:
        with self._lock:
            return proposal.value if self._settled else self._moment_set(proposal.value)

    def _moment_set(self, given: Any) -> Any:
        self._require_engine("moment")
        run = self._replayed(self._origin, self._state, self._dtype)
        go(run, given)
        later = [event for event in self._state["events"] if event[0] > self._state_update()]
        if later:  # changes that lie ahead are made on the way
            state = {**self._state, "number": run.schedule.number(run.position)}
            run = self._replayed(self._origin, state, self._dtype)
        self._settle(run, self._state)
        return self.moment

    def _state_update(self) -> int:
        return self.run.schedule.position(self._state["number"]).update

    @traitlets.validate("weights")
    def _weights_given(self, proposal: Any) -> Any:
        with self._lock:
            return proposal.value if self._settled else self._weights_set(proposal.value)

    def _weights_set(self, given: Any) -> Any:
        self._require_engine("weights")
        if not isinstance(given, Mapping):
            raise RunError("weights are given by address: {'w.value': [[0.5]]}")
        run = self._replayed(self._origin, self._state, self._dtype)
        run.set_weights(given)
        known = [event for event in self._state["events"] if event[0] <= run.update]
        weights = run.weights
        made = setting_all(run.update, {key: weights[key] for key in given})
        self._settle(run, {**self._state, "events": known + made})
        return self.weights

    @traitlets.validate("graph")
    def _graph_given(self, proposal: Any) -> Any:
        with self._lock:
            return proposal.value if self._settled else self._graph_set(proposal.value)

    def _graph_set(self, given: Any) -> Any:
        found = self._shown(given)
        with self._settling(), self.hold_sync():
            for name, value in found.items():
                setattr(self, name, value)
        return self.graph

    # -- in a notebook

    def _ipython_display_(self) -> None:
        """In VS Code, show the page and beside it an empty view, which makes the widget live.

        VS Code makes a widget only where it is to show one, and of an output that has a view shows
        nothing once the widget is gone. So the page is an output of its own there.
        """
        if not _in_vscode():
            raise NotImplementedError  # IPython takes the bundle of MIME types
        from IPython.display import display

        self._beside = True
        display(self._output(), raw=True)
        view = super()._repr_mimebundle_()
        if view is not None:
            display({**view[0], "text/plain": ""}, metadata=view[1], raw=True)

    def _repr_mimebundle_(self, **_: Any) -> Any:
        data = self._output()
        shown = super()._repr_mimebundle_()
        if shown is None or not _wants_view():
            return data, {}
        return {**shown[0], **data}, shown[1]

    def _output(self) -> dict[str, str]:
        """Return the page, and what stands for it in text and in LaTeX."""
        printed = notebook.printed(self._origin, None if self._recorded else self.run)
        return {"text/html": self._repr_html_(), "text/plain": repr(self), **printed}

    def _repr_html_(self) -> str:
        """Return the page as it stands, and a drawing for paper and where nothing may run."""
        if self._recorded:
            text = html.page(self._origin, theme=self._theme)
            run = None
        else:
            text, run = self._text(self._origin, self._state, self._dtype), self.run
        words = notebook.summary_of(self._origin) if run is None else notebook.summary_of_run(run)
        return (
            f"<style>{_STILL_OR_PAGE}</style>"
            f'<iframe data-nodeflow="{self._id}" title="{escape(words)}" srcdoc="{escape(text)}" '
            f'style="display:block;width:100%;height:{self.height}px;border:0" '
            "onload=\"window.dispatchEvent(new CustomEvent('nodeflow', {detail: this}))\"></iframe>"
            f'<div class="nodeflow-still">{notebook.image(self._origin, run)}</div>'
        )

    def __repr__(self) -> str:
        if self._recorded:
            return f"recording of {self._title}"
        return notebook.summary_of_run(self.run)
