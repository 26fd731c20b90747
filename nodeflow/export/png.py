"""The canvas in pixels, with the graph inside: the picture can be opened again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodeflow.errors import ExportError, FileError
from nodeflow.export import Made
from nodeflow.export.pixels import rendered
from nodeflow.export.svg import drawing
from nodeflow.files import whole
from nodeflow.files.picture import with_graph

if TYPE_CHECKING:
    from nodeflow.export import Job

_SCALE, _QUICK = 2.0, 24_000_000
"""A picture's scale by default, and the most pixels it then has: more take seconds to draw."""
_MOST = 64_000_000
"""The most pixels of a picture: 256 MB while it is drawn."""


def make(job: Job) -> Made:
    """Return the picture, which carries the graph unless it is to be bare."""
    options = job.options
    text = "" if options.bare else _text(job)
    drawn, (left, top, right, bottom) = drawing(job)
    units = (right - left) * (bottom - top)
    largest = (_MOST / units) ** 0.5
    scale = min(_SCALE, (_QUICK / units) ** 0.5) if options.scale is None else options.scale
    if scale > largest:
        raise ExportError(
            f"at scale {scale:g} the picture would have {scale**2 * units / 1e6:,.0f} million "
            f"pixels, and {_MOST / 1e6:.0f} are possible; choose a smaller --scale, or .svg"
        )
    data = rendered(drawn, scale)
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    facts = {"width": width, "height": height, "graph": not options.bare}
    carries = "without the graph" if options.bare else "with the graph inside"
    return Made(
        with_graph(data, text) if text else data, facts, f"{width}×{height} pixels, {carries}"
    )


def _text(job: Job) -> str:
    try:
        return whole(job.graph)
    except FileError as error:
        raise ExportError(f"{error}; --no-graph leaves the graph out") from error
