"""The ways of wires: curves, ways around nodes, and bundles between layers."""

from nodeflow.routing.curves import (
    Point,
    Way,
    along,
    bernstein,
    curves,
    joined,
    line,
    longest_run,
    measured,
    path,
    pieces,
    straight,
)
from nodeflow.routing.ways import Bundle, Ends, Routes, routes, runs_together

__all__ = [
    "Bundle", "Ends", "Point", "Routes", "Way", "along", "bernstein", "curves", "joined",
    "line", "longest_run", "measured", "path", "pieces", "routes", "runs_together", "straight",
]  # fmt: skip
