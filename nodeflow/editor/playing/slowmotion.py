"""What the panel of slow motion lists: steps, watched ports, stops and futures, as data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.editor.playing.motion import token_text
from nodeflow.workings.shown import listed, show

if TYPE_CHECKING:
    from nodeflow.editor.state.live import Live
    from nodeflow.playback.state import ConditionFault, Future, Playback

SIGNS = {"forward": "▸", "backward": "◂", "update": "▴"}
MOST_LINES = 8
"""The most numbers of an array that are drawn as lines."""
MOST_DIFFERENCES = 6
FIRST_RUN = "first run"


@dataclass(frozen=True, slots=True)
class LogRow:
    """A step of the log, or (without a number) where it is in the run."""

    text: str
    number: int | None = None
    phase: str = ""
    value: str = ""


def log_rows(playback: Playback) -> tuple[LogRow, ...]:
    """Return the steps that led here, the newest last; each sample has a heading."""
    rows: list[LogRow] = []
    before = None
    for number, step in playback.log:
        place = (step.epoch, step.update, step.sample)
        if place != before:
            before = place
            what = f"sample {step.sample}" if step.samples == 1 else f"from sample {step.sample}"
            rows.append(LogRow(f"epoch {step.epoch} · {what}"))
        value = next(iter(step.outputs.values()), None)
        text = f"{SIGNS.get(step.phase, '·')} {step.node}"
        shown = "" if value is None else token_text(value)
        rows.append(LogRow(text, number, step.phase, shown))
    return tuple(rows)


@dataclass(frozen=True)
class WatchRow:
    """A watched port: its present value, and the lines of its last values."""

    address: str
    value: str
    age: str = ""
    """Of when the value is, if not of the present pass: sample 1."""
    lines: tuple[tuple[tuple[float, float], ...], ...] = ()
    """Points as shares of width and height, 0 at the left and at the bottom."""
    low: str = ""
    high: str = ""
    """The values at the bottom and at the top; "" if nothing varies."""


def watch_rows(live: Live) -> list[WatchRow]:
    """Return a row for each watched port."""
    found = []
    for address, rows in live.playback.watched.items():
        now = live.values.get(address)
        value = "not evaluated yet" if now is None else _numbers(now)
        age = "" if now is None else live.age(address).removeprefix("from ")
        found.append(WatchRow(address, value, age, *_lines(rows)))
    return found


def _numbers(value: NDArray[Any]) -> str:
    """Return an array's first numbers; a view leaves out what has no room."""
    flat = np.ravel(value)
    more = ", …" if flat.size > MOST_LINES else ""
    return listed(flat[:MOST_LINES]) + more


def _lines(
    rows: NDArray[Any],
) -> tuple[tuple[tuple[tuple[float, float], ...], ...], str, str]:
    """Return the first columns as lines on a common scale, and what its ends are."""
    if rows.ndim != 2 or not rows.size:
        return (), "", ""
    some = rows[:, :MOST_LINES]
    finite = np.isfinite(some)
    if not finite.any():
        return (), "", ""
    low, high = float(some[finite].min()), float(some[finite].max())
    span = high - low
    xs = np.linspace(0.0, 1.0, len(some)) if len(some) > 1 else np.ones(1)
    ys = (some - low) / span if span else np.where(finite, 0.5, np.nan)
    lines = tuple(
        tuple((float(x), float(y)) for x, y in zip(xs, column, strict=True) if np.isfinite(y))
        for column in ys.T
    )
    return lines, *((show(low), show(high)) if span else ("", ""))


@dataclass(frozen=True, slots=True)
class StopRow:
    """A breakpoint or a condition; `name` is how it is called in messages."""

    name: str
    text: str
    condition: bool
    reached: bool
    """Whether it is why the run stands here."""


def stop_rows(playback: Playback) -> tuple[StopRow, ...]:
    """Return the breakpoints by name, then the conditions in the order in which they came."""
    here = "" if playback.playing else playback.reason
    return (
        *(
            StopRow(what, what.replace("->", "→"), False, here == f"breakpoint: {what}")
            for what in sorted(playback.breakpoints)
        ),
        *(StopRow(text, text, True, here == text) for text in playback.conditions),
    )


@dataclass(frozen=True, slots=True)
class FutureRow:
    """One of the futures: what was changed, and from where to where it is known."""

    title: str
    where: str
    present: bool
    compared: bool
    comparable: bool = True
    """Whether its values can be compared with those of now: not where a run began apart."""


def future_rows(playback: Playback) -> tuple[FutureRow, ...]:
    """Return the futures in the order in which they began."""
    per_epoch = playback.per_epoch
    return tuple(
        FutureRow(
            future.what or FIRST_RUN,
            _where(future, per_epoch),
            number == playback.future,
            number == playback.compared,
            number < len(playback.futures),
        )
        for number, future in enumerate((*playback.futures, *playback.past))
    )


def _where(future: Future, per_epoch: int) -> str:
    per_epoch = future.per_epoch or per_epoch
    begin = future.begin if future.what else 0
    return f"epoch {show(begin / per_epoch)} to {show(future.reach / per_epoch)}"


def largest_differences(playback: Playback) -> tuple[tuple[str, str], ...]:
    """Return the ports that differ most from the future compared with, and by how much."""
    found = {a: d for a, d in playback.differences.items() if d != 0}  # NaN differs
    most = sorted(found, key=lambda a: (-np.nan_to_num(found[a], nan=np.inf), a))
    return tuple((address, show(found[address])) for address in most[:MOST_DIFFERENCES])


def comparison(playback: Playback) -> str:
    """Return what there is to say of the future that is compared with; "" if none is."""
    if playback.compared is None or playback.compared >= len(playback.futures):
        return ""
    other = playback.futures[playback.compared]
    name = other.what or f"the {FIRST_RUN}"
    if playback.compared == playback.future:
        return "this future is compared with itself: switch to another one"
    if other.reach < playback.number:
        return f"{name} ends before this moment: go back, or play it farther"
    if not largest_differences(playback):
        return f"no value differs from {name} at this moment"
    return f"largest differences to {name} now"


def pointed(
    fault: ConditionFault, room: float, width: Callable[[str], float]
) -> tuple[str, float, float]:
    """Return a condition as it fits into `room`, and from where to where its fault is marked.

    What is too long loses its beginning, then its end.
    """
    text, position = " ".join(fault.text.split("\n")), fault.position
    mark = max(_word_end(text, position), position + 1)
    head, bad, rest = text[:position], text[position:mark], text[mark:]
    cut = ""
    while head and width(f"{cut}{head}{bad}") > room:
        head, cut = head[1:], "…"
    start = width(f"{cut}{head}")
    end = width(f"{cut}{head}{bad}") if bad else start + width("m")
    while rest and width(f"{cut}{head}{bad}{rest}") > room:
        rest = rest[:-2] + "…" if len(rest) > 1 else ""
    return f"{cut}{head}{bad}{rest}", start, min(end, max(room, start))


def _word_end(text: str, position: int) -> int:
    end = position
    while end < len(text) and (text[end].isalnum() or text[end] in "._"):
        end += 1
    return end
