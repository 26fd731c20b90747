"""Colours of the canvas, light and dark. Meaning is never in a colour alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Theme:
    """A set of colours, "#rrggbb" each; `families` are the headers of nodes."""

    name: str
    canvas: str
    grid: str
    body: str
    border: str
    text: str
    faint: str
    forward: str
    backward: str
    feedback: str
    selected: str
    problem: str
    positive: str
    negative: str
    families: Mapping[str, str]


LIGHT = Theme(
    name="light",
    canvas="#f6f5f2",
    grid="#e9e7e2",
    body="#ffffff",
    border="#b9b5ac",
    text="#1f2328",
    faint="#555b63",
    forward="#5f6f86",
    backward="#b4237a",
    feedback="#8a6100",
    selected="#1a66d6",
    problem="#c21f1f",
    positive="#b45309",
    negative="#1d5fbf",
    families={
        "source": "#d5e5f5",
        "layer": "#e0daf5",
        "activation": "#d3eddb",
        "arithmetic": "#e9e6de",
        "cost": "#fbdfcb",
        "backward": "#f8d6e8",
        "update": "#fbe9b4",
        "trainer": "#fbe9b4",
        "view": "#dfe3e8",
        "subgraph": "#cfe6e3",
        "": "#e4d2d2",
    },
)
DARK = Theme(
    name="dark",
    canvas="#1b1d21",
    grid="#25282d",
    body="#2a2e34",
    border="#565c66",
    text="#eceef1",
    faint="#b9bfc8",
    forward="#8fa3bf",
    backward="#f07ab8",
    feedback="#e0b64a",
    selected="#6aa8ff",
    problem="#ff7b72",
    positive="#f0a04b",
    negative="#6fb1ff",
    families={
        "source": "#27435f",
        "layer": "#41366b",
        "activation": "#23523a",
        "arithmetic": "#45423a",
        "cost": "#6b3f22",
        "backward": "#6a2a4e",
        "update": "#5c4a12",
        "trainer": "#5c4a12",
        "view": "#3b424c",
        "subgraph": "#1f4f4c",
        "": "#5a3636",
    },
)
THEMES = {theme.name: theme for theme in (LIGHT, DARK)}
