"""The picture of the editor in the README: `python -m gallery.editor --write` makes it.

The window opens on a display that nobody sees where Xvfb is there, else on the one that is there.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from benchmarks.scripted import Script, Scripted, show, waited
from benchmarks.window import display
from gallery.exhibit import GRAPHS
from nodeflow.editor.state.messages import Do, Key, Typed
from nodeflow.window.platform.toolkit import dpg

PICTURE = Path(__file__).parents[1] / "docs" / "editor.png"
GRAPH, MOMENT = "one-neuron-unfolded", "3:0:sum.delta"
_STILL = 1.0
"""So many seconds go by before the picture is taken, and until its file is whole."""


def take(to: Path) -> None:
    """Write a picture of the window."""

    def pose(window: Scripted) -> Script:
        yield from window.evaluated()
        yield from window.each("", [Do("go-to"), Typed(MOMENT), Key("Enter"), Do("fit")])
        while window.editor.live.playback.node != MOMENT.rpartition(":")[2]:
            yield ""
        yield from window.drawn()
        yield from waited(_STILL)
        dpg.output_frame_buffer(str(to))
        while not to.exists():
            yield ""
        yield from waited(_STILL)

    show(GRAPHS / f"{GRAPH}.json", pose)


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the picture; without --write only check that it can be made."""
    parser = argparse.ArgumentParser(prog="python -m gallery.editor", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {PICTURE.name}")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, display() as (screen, why):
        if why:
            sys.stderr.write(f"{why}\n")
            return 1
        os.environ |= {"DISPLAY": screen, "XDG_STATE_HOME": folder, "XDG_CONFIG_HOME": folder}
        to = Path(folder) / PICTURE.name
        take(to)
        picture = Image.open(to).convert("RGB")
        picture.save(PICTURE if options.write else to, optimize=True)
        print(f"{PICTURE.name}: {picture.width}×{picture.height}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
