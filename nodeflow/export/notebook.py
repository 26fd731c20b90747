"""What a notebook shows of a graph or a run at the end of a cell.

The drawing goes inside HTML: an SVG output alone becomes an image that notebooks may cache,
shrink and leave out of a saved page. A notebook that is not trusted strips SVG and style from
HTML, so there is an image as well, which the style hides. What is printed takes the PDF:
nbconvert hands every SVG to Inkscape, unless there is one. Text is for where nothing is drawn.
"""

from __future__ import annotations

import re
import zlib
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from nodeflow.engine.run import Run
from nodeflow.errors import RunError
from nodeflow.export.pixels import rendered
from nodeflow.export.svg import svg
from nodeflow.graph import Graph
from nodeflow.playback.moments import stands_at
from nodeflow.scene import scene
from nodeflow.theme import LIGHT
from nodeflow.workings.shown import precise

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

MOST = 600
"""Graphs of more nodes are told in words: their drawing would be megabytes in the notebook."""
_SCALE, _PIXELS = 2.0, 1_200_000
"""Of a printed drawing, and the most pixels that it has."""
_SIZE = re.compile(r'width="([\d.]+)" height="([\d.]+)"')


def of_graph(graph: Graph) -> dict[str, str]:
    """Return a graph as HTML with its drawing, as SVG, PDF and PNG, and as text."""
    return _bundle(_drawn(graph, {}), summary_of(graph))


def of_run(run: Run) -> dict[str, str]:
    """Return a run as the drawing of its graph with the values of this moment."""
    return _bundle(_drawn_run(run), summary_of_run(run))


def html_of_graph(graph: Graph) -> str:
    """Return a graph as HTML with its drawing."""
    return _figure(_drawn(graph, {}), summary_of(graph))


def html_of_run(run: Run) -> str:
    """Return a run as HTML, its drawing with the values of this moment."""
    return _figure(_drawn_run(run), summary_of_run(run))


def summary_of(graph: Graph) -> str:
    """Return what a graph is, in a line."""
    name = f"'{graph.name}'" if graph.name else "without a name"
    nodes, wires = len(graph.nodes), len(graph.wires)
    return f"graph {name}, {nodes} node{'s' * (nodes != 1)}, {wires} wire{'s' * (wires != 1)}"


def summary_of_run(run: Run) -> str:
    """Return where a run stands, in a line."""
    cost = None
    with suppress(RunError):  # before the first pass there is none
        cost = run.cost if run.order else None
    where = stands_at(run) if run.order else "nothing in it can be evaluated"
    return f"{summary_of(run.graph)}: {where}" + ("" if cost is None else f", cost {precise(cost)}")


def _drawn_run(run: Run) -> str:
    own = run.graph.nodes
    values = {key: value for key, value in run.values.items() if key.rpartition(".")[0] in own}
    return _drawn(run.graph, values)


def _drawn(graph: Graph, values: Mapping[str, NDArray[Any]]) -> str:
    """Return the drawing, "" of a graph that has nothing to draw or too much."""
    if not 0 < len(graph.nodes) <= MOST:
        return ""
    return svg(scene(graph, values=dict(values)), LIGHT)


def _figure(drawing: str, words: str) -> str:
    if not drawing:
        return f"<p>{escape(words)}</p>"
    return (
        '<figure style="margin:0;max-width:100%;overflow-x:auto">'
        f"{_still(drawing, words)}<figcaption>{escape(words)}</figcaption></figure>"
    )


def image(graph: Graph, run: Run | None = None) -> str:
    """Return a graph, with the values of a run, as an image in HTML."""
    words = summary_of(graph) if run is None else summary_of_run(run)
    return _image(_drawn(graph, {}) if run is None else _drawn_run(run), words)


def printed(graph: Graph, run: Run | None = None) -> dict[str, str]:
    """Return a graph, with the values of a run, as the PDF that LaTeX takes, if it can be drawn."""
    drawing = _drawn(graph, {}) if run is None else _drawn_run(run)
    return {_PRINTED: b64encode(_pdf(_pictured(drawing))).decode("ascii")} if drawing else {}


_PRINTED = "application/pdf"


def _still(drawing: str, words: str) -> str:
    """Return a drawing in HTML, for notebooks that are trusted and for those that are not."""
    return (
        "<style>.nodeflow-drawing{display:block!important}.nodeflow-image{display:none}"
        ".nodeflow-drawing svg{max-width:100%;height:auto}</style>"
        f'<div class="nodeflow-drawing" role="img" aria-label="{escape(words)}" '
        f'style="display:none">{drawing}</div>{_image(drawing, words)}'
    )


def _image(drawing: str, words: str) -> str:
    if not drawing:
        return f"<p>{escape(words)}</p>"
    packed = b64encode(drawing.encode()).decode("ascii")
    return (
        f'<img class="nodeflow-image" alt="{escape(words)}" '
        f'src="data:image/svg+xml;base64,{packed}">'
    )


def _bundle(drawing: str, words: str) -> dict[str, str]:
    bundle = {"text/html": _figure(drawing, words), "text/plain": words}
    if drawing:
        picture = _pictured(drawing)
        bundle |= {
            "image/svg+xml": drawing,
            "image/png": b64encode(_png(picture)).decode("ascii"),
            _PRINTED: b64encode(_pdf(picture)).decode("ascii"),
        }
    return bundle


def _pictured(drawing: str) -> Picture:
    """Return a drawing in pixels, with 256 colours: its numbers are many and its colours few."""
    from PIL import Image

    size = _SIZE.search(drawing)
    width, height = map(float, size.groups()) if size else (1.0, 1.0)
    scale = min(_SCALE, (_PIXELS / (width * height)) ** 0.5)
    return Image.open(BytesIO(rendered(drawing, scale))).convert("RGB").quantize(256)


def _png(picture: Picture) -> bytes:
    held = BytesIO()
    picture.save(held, "PNG", optimize=True)
    return held.getvalue()


def _pdf(picture: Picture) -> bytes:
    """Return a page of the size of a picture, with the picture on it."""
    (width, height), palette = picture.size, bytes(picture.getpalette() or ())[: 3 * 256]
    across, down = width / _SCALE, height / _SCALE
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {across:g} {down:g}]/Contents 4 0 R"
        "/Resources<</XObject<</I 5 0 R>>>>>>".encode(),
        _stream("", f"{across:g} 0 0 {down:g} 0 0 cm /I Do".encode()),
        _stream(
            f"/Type/XObject/Subtype/Image/Width {width}/Height {height}/BitsPerComponent 8"
            f"/ColorSpace[/Indexed/DeviceRGB {len(palette) // 3 - 1}<{palette.hex()}>]",
            picture.tobytes(),
        ),
    ]
    text, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(text))
        text += b"%d 0 obj%s endobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return (
        text + b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1) + table
        + b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(parts) + 1, len(text))
    )  # fmt: skip


def _stream(facts: str, data: bytes) -> bytes:
    packed = zlib.compress(data, 9)
    head = f"<<{facts}/Filter/FlateDecode/Length {len(packed)}>>stream\n".encode()
    return head + packed + b"\nendstream"
