"""Large graphs stay on the screen while they are edited, and are drawn however slow panels are.

A window of its own counts in each frame what it shows.
"""

import json
import subprocess
import sys

import pytest
from helpers_window import ROOT

import nodeflow as nf
from nodeflow.networks import network

SHOWN = '''
"""Open a graph, do what is asked, and print how many nodes are shown in each frame."""
import json, sys, time
from pathlib import Path

from benchmarks import scripted
from nodeflow.editor.state import messages as m
from nodeflow.window.panels.formulacard import FormulaCard
from nodeflow.window.platform.toolkit import dpg

path, what = Path(sys.argv[1]), sys.argv[2]
counts = []


def shown(window):
    canvas = window.canvas
    kept = canvas._nodes if canvas._is_near else canvas._flats
    return sum(dpg.is_item_shown(items.root) for items in kept.values())


def settled(window):
    while not window.editor.drawn.is_routed or window.canvas.busy:
        counts.append(shown(window))
        yield ""
    counts.append(shown(window))


def script(window):
    window.hurried = True
    yield from window.evaluated()
    window.send(m.Do("fit"))
    yield from window.drawn()
    yield from settled(window)
    counts.clear()
    counts.append(shown(window))
    if what == "an edit":
        window.send(m.Place("sigmoid", (300.0, 300.0)))
    else:
        key = next(iter(window.editor.graph.nodes))
        window.send(m.Select(frozenset([key])))
        yield ""
        window.send(m.Key("Right", shift=True))
    yield ""
    yield from settled(window)


def slowly(draw):
    def drawn(self, editor):
        end = time.thread_time() + 0.004
        while time.thread_time() < end:
            pass
        return draw(self, editor)
    return drawn


if what == "slow panels":
    FormulaCard.draw = slowly(FormulaCard.draw)
window = scripted.show(path, script)
print(json.dumps({"counts": counts, "nodes": len(window.editor.drawn.nodes)}))
'''


def ran(script, screen, home, *arguments):
    """Run a script in a window of its own, and return what it prints."""
    done = subprocess.run(
        [sys.executable, script, *arguments],
        env={"DISPLAY": screen.name, "PYTHONPATH": str(ROOT), "PATH": "",
             "XDG_CONFIG_HOME": str(home / "config"), "XDG_STATE_HOME": str(home / "state")},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


PIECES = '''
"""Look at a node with many ports from near, and print how many items each piece of it took."""
import json, sys
from pathlib import Path

from benchmarks import scripted
from nodeflow.editor.state import messages as m
from nodeflow.window.canvas import nodeitems
from nodeflow.window.canvas.canvas import Canvas

made, pieces = [0], {}


class Counting:
    """A toolkit that counts what is drawn by it."""

    def __init__(self, toolkit):
        self._toolkit = toolkit

    def __getattr__(self, name):
        made[0] += name.startswith(("draw_", "add_draw_"))
        return getattr(self._toolkit, name)


nodeitems.dpg, nodeitems.draw = Counting(nodeitems.dpg), Counting(nodeitems.draw)
draw_node = Canvas._draw_node


def counted(self, number, editor):
    before = made[0]
    whole = draw_node(self, number, editor)
    pieces.setdefault(self._views[number].key, []).append(made[0] - before)
    return whole


Canvas._draw_node = counted


def script(window):
    window.hurried = True
    yield from window.evaluated()
    window.send(m.Select(frozenset(["many"])))
    yield ""
    window.send(m.Do("fit-selection"))
    yield from window.drawn()
    items = window.canvas._nodes["many"]
    pieces["zoom"], pieces["texts"] = window.editor.camera.zoom, len(items.texts)


scripted.show(Path(sys.argv[1]), script)
print(json.dumps(pieces))
'''


def test_a_node_with_many_ports_is_drawn_in_pieces_that_a_frame_has_time_for(screen, home):
    """None of them takes more than a small node does; in the end all is there."""
    graph, script = home / "work" / "many.json", home / "work" / "pieces.py"
    sum_ = " + ".join(f"x{number}" for number in range(30))
    nf.save(network("2-3-1", data="xor").add("many", "expression", formula=sum_), graph)
    script.write_text(PIECES, encoding="utf-8")
    found = ran(script, screen, home, graph)
    assert found["zoom"] >= 0.6
    assert found["texts"] > 30
    assert sum(found["many"]) > 2 * 30
    assert max(max(taken) for taken in found.values() if isinstance(taken, list)) < 20


@pytest.mark.parametrize("what", ["an edit", "a node that is moved", "slow panels"])
def test_what_is_drawn_of_a_large_graph_stays(screen, home, what):
    graph, script = home / "work" / "large.json", home / "work" / "shown.py"
    nf.save(nf.explode(network("4-9-5-3", data="iris")), graph)
    script.write_text(SHOWN, encoding="utf-8")
    found = ran(script, screen, home, graph, what)
    assert found["counts"][0] >= found["nodes"] - 1
    assert min(found["counts"]) >= found["counts"][0]
    assert found["counts"][-1] == found["nodes"]
