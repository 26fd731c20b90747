"""Colours of a theme as the toolkit wants them, and the looks of its widgets."""

from __future__ import annotations

from functools import lru_cache

from nodeflow.theme import Theme
from nodeflow.window.platform.toolkit import Item, dpg

Colour = tuple[int, int, int, int]


@lru_cache(maxsize=500)
def rgba(text: str, alpha: float = 1.0) -> Colour:
    """Return "#rrggbb" as four numbers from 0 to 255."""
    red, green, blue = (int(text[place : place + 2], 16) for place in (1, 3, 5))
    return red, green, blue, round(255 * alpha)


@lru_cache(maxsize=5_000)
def mixed(one: str, other: str, share: float) -> Colour:
    """Return a colour between two, so much of the other."""
    pairs = zip(rgba(one), rgba(other), strict=True)
    red, green, blue, _ = (round(a + (b - a) * share) for a, b in pairs)
    return red, green, blue, 255


def is_colour(text: str) -> bool:
    """Return whether a text, as it stands in a file, is a colour."""
    return (
        len(text) == 7 and text[0] == "#" and all(c in "0123456789abcdefABCDEF" for c in text[1:])
    )


def widgets(theme: Theme, scale: float) -> Item:
    """Return the looks of all widgets."""
    raised = mixed(theme.body, theme.text, 0.08)
    hovered = mixed(theme.body, theme.selected, 0.25)
    active = mixed(theme.body, theme.selected, 0.45)
    panel = mixed(theme.canvas, theme.body, 0.6)
    colours = {
        "Text": rgba(theme.text),
        "TextDisabled": rgba(theme.faint),
        "WindowBg": panel,
        "ChildBg": (0, 0, 0, 0),
        "PopupBg": rgba(theme.body),
        "MenuBarBg": panel,
        "Border": mixed(theme.body, theme.border, 0.6),
        "FrameBg": raised,
        "FrameBgHovered": hovered,
        "FrameBgActive": active,
        "Button": raised,
        "ButtonHovered": hovered,
        "ButtonActive": active,
        "Header": mixed(theme.body, theme.selected, 0.3),
        "HeaderHovered": hovered,
        "HeaderActive": active,
        "CheckMark": rgba(theme.selected),
        "SliderGrab": rgba(theme.selected),
        "SliderGrabActive": rgba(theme.selected),
        "ScrollbarBg": panel,
        "ScrollbarGrab": mixed(theme.body, theme.border, 0.7),
        "ScrollbarGrabHovered": rgba(theme.border),
        "ScrollbarGrabActive": rgba(theme.border),
        "ResizeGrip": (0, 0, 0, 0),
        "ResizeGripHovered": rgba(theme.border),
        "ResizeGripActive": rgba(theme.selected),
        "Separator": mixed(theme.body, theme.border, 0.5),
        "TitleBg": panel,
        "TitleBgActive": raised,
        "TextSelectedBg": rgba(theme.selected, 0.35),
        "TableHeaderBg": raised,
        "TableBorderLight": mixed(theme.body, theme.border, 0.4),
        "TableBorderStrong": mixed(theme.body, theme.border, 0.6),
        "ModalWindowDimBg": rgba(theme.canvas, 0.5),
        "InputTextCursor": rgba(theme.text),
    }
    styles = {
        "WindowPadding": (10, 8),
        "WindowRounding": (0, 0),
        "WindowBorderSize": (1, 0),
        "FramePadding": (7, 4),
        "FrameRounding": (5, 0),
        "ItemSpacing": (7, 6),
        "ItemInnerSpacing": (6, 4),
        "PopupRounding": (6, 0),
        "ScrollbarSize": (11, 0),
        "GrabRounding": (4, 0),
        "ChildBorderSize": (0, 0),
    }
    with dpg.theme() as made, dpg.theme_component(dpg.mvAll):
        for name, colour in colours.items():
            dpg.add_theme_color(getattr(dpg, f"mvThemeCol_{name}"), colour)
        for name, (x, y) in styles.items():
            dpg.add_theme_style(getattr(dpg, f"mvStyleVar_{name}"), x * scale, y * scale)
        for name, colour in {
            "FrameBg": panel,
            "PlotBg": rgba(theme.canvas),
            "PlotBorder": mixed(theme.body, theme.border, 0.5),
            "LegendBg": rgba(theme.body, 0.8),
            "LegendText": rgba(theme.text),
            "AxisText": rgba(theme.faint),
            "AxisGrid": rgba(theme.border, 0.6),
        }.items():
            code = getattr(dpg, f"mvPlotCol_{name}", None)
            if code is not None:
                dpg.add_theme_color(code, colour, category=dpg.mvThemeCat_Plots)
    return made  # type: ignore[no-any-return]


def flat(*, padding: tuple[float, float] = (0, 0), background: Colour | None = None) -> Item:
    """Return the looks of a window without a frame."""
    with dpg.theme() as made, dpg.theme_component(dpg.mvAll):
        dpg.add_theme_style(dpg.mvStyleVar_WindowPadding, *padding)
        dpg.add_theme_style(dpg.mvStyleVar_WindowBorderSize, 0, 0)
        if background is not None:
            dpg.add_theme_color(dpg.mvThemeCol_WindowBg, background)
    return made  # type: ignore[no-any-return]


def phase_colour(theme: Theme, phase: str) -> str:
    """Return the colour of a phase."""
    return {"backward": theme.backward, "update": theme.feedback}.get(phase, theme.forward)
