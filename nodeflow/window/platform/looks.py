"""How widgets look: the toolkit's themes, made of colours and sizes by their names."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from nodeflow.theme import Theme
from nodeflow.window.platform.colours import CLEAR, Colour, mixed, rgba
from nodeflow.window.platform.toolkit import Item, dpg

Sizes = Mapping[str, float | tuple[float, float]]
_NO_SIZES: Sizes = MappingProxyType({})


def look(sizes: Sizes = _NO_SIZES, /, **colours: Colour) -> Item:
    """Return a look for widgets of any kind: an item of the toolkit, to be bound to them.

    Colours and sizes have the toolkit's names without their beginning: `ButtonHovered` is
    `mvThemeCol_ButtonHovered`, `"FramePadding"` is `mvStyleVar_FramePadding`. Sizes are in pixels.
    """
    made: Item = dpg.add_theme()
    add(dpg.add_theme_component(dpg.mvAll, parent=made), sizes, colours)
    return made


def add(component: Item, sizes: Sizes, colours: Mapping[str, Colour]) -> None:
    """Add sizes and colours to what a look says of one kind of widgets."""
    for name, size in sizes.items():
        both = size if isinstance(size, tuple) else (size,)
        dpg.add_theme_style(getattr(dpg, f"mvStyleVar_{name}"), *both, parent=component)
    for name, colour in colours.items():
        dpg.add_theme_color(getattr(dpg, f"mvThemeCol_{name}"), colour, parent=component)


def wrong_field(colour: Colour) -> Item:
    """Return the look of a field that holds what cannot be."""
    return look({"FrameBorderSize": 1}, Text=colour, Border=colour)


def main_button(theme: Theme, sizes: Sizes = _NO_SIZES) -> Item:
    """Return the look of the one button that stands out; a panel around it has no background."""
    shares = {"Button": 0.0, "ButtonHovered": 0.15, "ButtonActive": 0.3}
    buttons = {name: mixed(theme.selected, theme.text, share) for name, share in shares.items()}
    return look(sizes, ChildBg=CLEAR, Text=rgba(theme.canvas), **buttons)


def popup(theme: Theme) -> Item:
    """Return the look of a popup or a sheet, which lies over all else."""
    sizes: Sizes = {
        "DisabledAlpha": 1.0,
        "WindowRounding": 8,
        "WindowPadding": (10, 10),
        "WindowBorderSize": 1,
        "CellPadding": (5, 4),
        "SelectableTextAlign": (0.0, 0.5),
    }
    ground = rgba(theme.body)
    made = look(
        sizes, WindowBg=ground, ChildBg=ground, ScrollbarBg=ground, Border=rgba(theme.border)
    )
    # Hints are lines that are off: the toolkit would pale them beyond reading.
    hints = dpg.add_theme_component(dpg.mvSelectable, enabled_state=False, parent=made)
    add(hints, _NO_SIZES, {"Text": rgba(theme.faint)})
    return made


def widgets(theme: Theme, scale: float) -> Item:
    """Return the look of all widgets that have no other; sizes are as large as the text."""
    field = mixed(theme.body, theme.text, 0.08)
    hovered = mixed(theme.body, theme.selected, 0.25)
    active = mixed(theme.body, theme.selected, 0.45)
    panel = mixed(theme.canvas, theme.body, 0.6)
    colours = {
        "Text": rgba(theme.text),
        "TextDisabled": rgba(theme.faint),
        "WindowBg": panel,
        "ChildBg": CLEAR,
        "PopupBg": rgba(theme.body),
        "MenuBarBg": panel,
        "Border": mixed(theme.body, theme.border, 0.6),
        "FrameBg": field,
        "FrameBgHovered": hovered,
        "FrameBgActive": active,
        "Button": field,
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
        "ResizeGrip": CLEAR,
        "ResizeGripHovered": rgba(theme.border),
        "ResizeGripActive": rgba(theme.selected),
        "Separator": mixed(theme.body, theme.border, 0.5),
        "TitleBg": panel,
        "TitleBgActive": field,
        "TextSelectedBg": rgba(theme.selected, 0.35),
        "TableHeaderBg": field,
        "TableBorderLight": mixed(theme.body, theme.border, 0.4),
        "TableBorderStrong": mixed(theme.body, theme.border, 0.6),
        "ModalWindowDimBg": rgba(theme.canvas, 0.5),
        "InputTextCursor": rgba(theme.text),
    }
    sizes = {
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
    plots = {
        "FrameBg": panel,
        "PlotBg": rgba(theme.canvas),
        "PlotBorder": mixed(theme.body, theme.border, 0.5),
        "LegendBg": rgba(theme.body, 0.8),
        "LegendText": rgba(theme.text),
        "AxisText": rgba(theme.faint),
        "AxisGrid": rgba(theme.border, 0.6),
    }
    made: Item = dpg.add_theme()
    component = dpg.add_theme_component(dpg.mvAll, parent=made)
    add(component, {name: (x * scale, y * scale) for name, (x, y) in sizes.items()}, colours)
    for name, colour in plots.items():
        code = getattr(dpg, f"mvPlotCol_{name}", None)
        if code is not None:
            dpg.add_theme_color(code, colour, category=dpg.mvThemeCat_Plots, parent=component)
    return made


def frameless(*, padding: tuple[float, float] = (0, 0), background: Colour | None = None) -> Item:
    """Return the look of a window without a frame."""
    sizes: Sizes = {"WindowPadding": padding, "WindowBorderSize": (0, 0)}
    return look(sizes) if background is None else look(sizes, WindowBg=background)
