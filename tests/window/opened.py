"""A window for the tests: it tells each state of its editor as a line of JSON."""

import json
import os
import sys
from pathlib import Path

import nodeflow as nf
from nodeflow.editor.messages import Do, Told
from nodeflow.editor.model import Editor, Live, Preferences
from nodeflow.graph import Graph
from nodeflow.window import app


def _tell(what):
    sys.stdout.write(f"{json.dumps(what)}\n")
    sys.stdout.flush()


class Shell:
    """Does nothing but tell what it was asked for."""

    def __init__(self, first):
        self._first = list(first)

    def perform(self, request, _editor):
        _tell({"request": request.what})
        return []

    def poll(self, _editor):
        first, self._first = self._first, []
        return first


class Watched(app.Window):
    """Tells its editor's state whenever it has drawn it."""

    def _draw(self):
        super()._draw()
        editor, area = self.editor, self.frame.area
        told = {
            "area": [area.x, area.y, area.width, area.height],
            "camera": [editor.camera.x, editor.camera.y, editor.camera.zoom],
            "selection": sorted(editor.selection),
            "nodes": {
                key: [view.x, view.y, view.width, view.height]
                for key, view in list(editor.drawn.nodes.items())[:50]
            },
            "ports": {
                port.address: [port.x, port.y]
                for view in list(editor.drawn.nodes.values())[:50]
                for port in (*view.inputs, *view.outputs)
            },
            "wires": [str(wire) for wire in editor.graph.wires[:50]],
            "popup": type(editor.popup).__name__,
            "text": getattr(editor.popup, "text", ""),
            "hover": editor.hover,
            "gesture": type(editor.gesture).__name__,
            "notice": editor.notice.text if editor.notice else "",
            "ready": self.popups.ready,
            "theme": editor.preferences.theme,
            "busy": self.canvas.busy,
            "drawn": len(self.canvas._nodes),
        }
        _tell(told)


def lived(graph, epochs):
    """Return the message of a run that was trained for some epochs."""
    run = nf.Run(graph)
    run.train(epochs=epochs)
    values = {}
    for key, node in graph.nodes.items():
        for port in node.known.outputs:
            try:
                values[f"{key}.{port.name}"] = run[f"{key}.{port.name}"]
            except nf.NodeflowError:
                continue
    history = tuple(run.history)
    return Told(
        Live(values=values, state="paused", epoch=len(history), history=history,
             weights=run.weights)
    )  # fmt: skip


def main(file="", epochs="0"):
    graph = nf.load(file) if file else Graph()
    scale = float(os.environ.get("NODEFLOW_TEST_SCALE", "1"))
    theme = os.environ.get("NODEFLOW_TEST_THEME", "dark")
    editor = Editor.of(
        graph, Path(file) if file else None, preferences=Preferences(theme=theme, scale=scale)
    )
    first = [lived(graph, int(epochs))] if int(epochs) else []
    app.Window = Watched
    sys.exit(app.run(editor, shell=Shell([*first, Do("fit")]), size=(1600, 1000), probe=False))


if __name__ == "__main__":
    main(*sys.argv[1:])
