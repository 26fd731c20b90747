"""Many runs as a picture and as a page: all their drawings, and the table under them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from nodeflow.export.svg import document
from nodeflow.export.views import lines
from nodeflow.sweeps.drawing import Drawing, drawn, measures, telling
from nodeflow.sweeps.results import Summary, Sweep
from nodeflow.sweeps.rows import CURVES
from nodeflow.theme import LIGHT, Theme
from nodeflow.views.marks import Words
from nodeflow.workings.shown import precise

ENDINGS = (".svg", ".png", ".html")
_WIDE, _HIGH, _TITLE, _GAP = 760.0, 300.0, 34.0, 18.0
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light; }}
body {{ font: 15px/1.5 'DejaVu Sans', Verdana, 'Segoe UI', sans-serif; color: {theme.text};
  background: {theme.canvas}; margin: 0 auto; padding: 1rem; max-width: 60rem; }}
svg {{ width: 100%; height: auto; background: {theme.body}; border: 1px solid {theme.border};
  border-radius: 8px; margin: .5rem 0; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; }}
th, td {{ padding: .25rem .6rem; border-bottom: 1px solid {theme.grid}; text-align: right; }}
th {{ position: sticky; top: 0; background: {theme.canvas}; }}
.wide {{ overflow-x: auto; max-height: 32rem; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{about}</p>
{pictures}
{summaries}
<h2>Runs</h2>
<div class="wide">{runs}</div>
</body>
</html>
"""
_SUMMARIES = '<h2>Medians and quartiles over the seeds</h2>\n<div class="wide">{}</div>'
_MOST_ROWS = 5_000


def made(found: Sweep, ending: str, theme: Theme = LIGHT) -> bytes:
    """Return the runs as a file with this ending; raises nothing for runs that failed."""
    match ending:
        case ".svg":
            return svg(found, theme).encode("utf-8")
        case ".png":
            from nodeflow.export.pixels import rendered

            return rendered(svg(found, theme), 2.0)
        case _:
            return page(found).encode("utf-8")


def drawings(found: Sweep, theme: Theme) -> list[Drawing]:
    """Return what there is to draw, each in an area of its own size at (0, 0)."""
    area = 0.0, 0.0, _WIDE, _HIGH
    there = measures(found)
    if not there:
        return []
    best = telling(found)
    kinds = [("spread", best)]
    if found.plan.curves:
        # The cost is what is descended: it is drawn whatever else tells the runs apart.
        over_time = dict.fromkeys(("cost", next(name for name in there if name in CURVES)))
        kinds = [*(("curves", name) for name in over_time), *kinds]
    first = [at for at, axis in enumerate(found.plan.axes) if len(axis.values) > 1]
    across, down = first[:2] if len(first) > 1 else (0, 1)
    if len(first) > 1:
        kinds.append(("heat map", best))
    return [drawn(kind, found, measure, area, theme, across=across, down=down)
            for kind, measure in kinds]  # fmt: skip


def svg(found: Sweep, theme: Theme = LIGHT) -> str:
    """Return all drawings below each other, under a title."""
    parts = drawings(found, theme)
    high = _TITLE + len(parts) * (_HIGH + _GAP)
    title = Words(_GAP, 24, _told(found), theme.text, 14)
    inside = list(lines([title]))
    for number, part in enumerate(parts):
        inside.append(f'<g transform="translate({_GAP:g} {_TITLE + number * (_HIGH + _GAP):g})">')
        inside += lines(part.marks)
        inside.append("</g>")
    return document((0.0, 0.0, _WIDE + 2 * _GAP, high), inside, theme.body)


def page(found: Sweep) -> str:
    """Return a page with drawings and tables; it needs nothing from elsewhere."""
    pictures = [
        document((-8.0, -4.0, _WIDE + 8, _HIGH + 4), lines(part.marks))
        for part in drawings(found, LIGHT)
    ]
    rows = found.rows
    more = len(rows) - _MOST_ROWS
    held = [name for name in found.columns if any(row[name] is not None for row in rows)]
    runs = _table(held, [[row[name] for name in held] for row in rows[:_MOST_ROWS]])
    left_out = f"<p>and {more:,} more</p>" if more > 0 else ""
    return _PAGE.format(
        theme=LIGHT,
        title=escape(found.plan.graph.name or "Many runs"),
        about=escape(_told(found)),
        pictures="\n".join(pictures),
        summaries=_SUMMARIES.format(_summaries(found)) if len(found.plan.seeds) > 1 else "",
        runs=runs + left_out,
    )


def _told(found: Sweep) -> str:
    name = f"{found.plan.graph.name}: " if found.plan.graph.name else ""
    varied = ", ".join(f"{axis.address} ({len(axis.values)})" for axis in found.plan.axes)
    failed = f", {len(found.failed):,} failed" if found.failed else ""
    until = f", until {found.plan.until}" if found.plan.until else ""
    seeds = len(found.plan.seeds)
    over = f" over {varied}" if varied else ""
    return f"{name}{len(found):,} runs{over}, {seeds} seed{'s' * (seeds > 1)}{until}{failed}"


def _summaries(found: Sweep) -> str:
    there = measures(found)
    until = found.plan.until is not None
    head = [*found.plan.names, "runs", "failed", *(["reached"] if until else []), *there]

    def row(one: Summary) -> list[Any]:
        told = [f"{one.reached} of {one.runs}"] if until else []
        return [*one.settings.values(), one.runs, one.failed, *told,
                *(_three(one.quartiles[name]) for name in there)]  # fmt: skip

    return _table(head, [row(one) for one in found.summaries()])


def _three(three: tuple[float, float, float] | None) -> str:
    if three is None:
        return "–"
    low, middle, high = (f"{value:.5g}" for value in three)
    return middle if low == high else f"{middle} ({low} … {high})"


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    names = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines_ = "\n".join(
        f"<tr>{''.join(f'<td>{escape(_cell(value))}</td>' for value in row)}</tr>" for row in rows
    )
    return f"<table><thead><tr>{names}</tr></thead><tbody>\n{lines_}\n</tbody></table>"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return precise(value) if isinstance(value, float) else str(value)
