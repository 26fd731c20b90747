"""Menus and drop lists of the toolkit, which knows no key that closes them."""

from __future__ import annotations

from collections.abc import Iterator

from nodeflow.window.platform.toolkit import Item, dpg


def close(home: Item) -> bool:
    """Close the menu or the drop list that is open; return whether one was.

    The keys go to the window that a list belongs to, from a menu to `home`: what lies over it
    closes then.
    """
    found = dropped()
    if found is not None:
        is_menu = dpg.get_item_type(found).endswith("::mvViewportMenuBar")
        dpg.focus_item(home if is_menu else found)
    return found is not None


def dropped() -> Item | None:
    """Return the window, or the bar, of the drop list or the menu that is open."""
    for window in dpg.get_windows():
        for item, kind in _below(window):
            if kind.endswith("::mvMenu") and dpg.get_item_state(item).get("focused"):
                return window  # type: ignore[no-any-return]
            if kind.endswith("::mvCombo") and _is_dropped(item):
                return window  # type: ignore[no-any-return]
    return None


def _is_dropped(combo: Item) -> bool:
    """Return whether the list of a combo is open: its box has no height then.

    One that was never drawn has no width, either.
    """
    state = dpg.get_item_state(combo)
    wide, high = state["rect_size"]
    return bool(not state["visible"] and wide and not high)


def _below(item: Item) -> Iterator[tuple[Item, str]]:
    """Yield what lies below an item, with its kind."""
    for child in dpg.get_item_children(item, 1):
        info = dpg.get_item_info(child)
        yield child, info["type"]
        if info["children"].get(1):
            yield from _below(child)
