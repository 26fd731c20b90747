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


@pytest.mark.parametrize("what", ["an edit", "a node that is moved", "slow panels"])
def test_what_is_drawn_of_a_large_graph_stays(screen, home, what):
    graph, script = home / "work" / "large.json", home / "work" / "shown.py"
    nf.save(nf.explode(network("4-9-5-3", data="iris")), graph)
    script.write_text(SHOWN, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script, graph, what],
        env={"DISPLAY": screen.name, "PYTHONPATH": str(ROOT), "PATH": "",
             "XDG_CONFIG_HOME": str(home / "config"), "XDG_STATE_HOME": str(home / "state")},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["counts"][0] >= found["nodes"] - 1
    assert min(found["counts"]) >= found["counts"][0]
    assert found["counts"][-1] == found["nodes"]
