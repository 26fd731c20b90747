"""From a drawing to pixels: resvg with the fonts that come with nodeflow."""

from __future__ import annotations

import resvg_py

from nodeflow.fonts import BOLD, FAMILY, REGULAR

_FONTS = [str(REGULAR), str(BOLD)]


def rendered(svg: str, scale: float = 1.0) -> bytes:
    """Return an SVG document as a PNG of `scale` pixels a unit."""
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg,
            zoom=scale,
            skip_system_fonts=True,
            font_files=_FONTS,
            font_family=FAMILY,
            sans_serif_family=FAMILY,
        )
    )
