"""What all tests share."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Callable, Generator, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from nodeflow.data.places import FETCHABLE

# The same examples each time, so that a failure belongs to the change that brought it;
# NODEFLOW_FUZZ=1 draws others in every run.
settings.register_profile("steady", derandomize=True)
settings.register_profile("searching", derandomize=False)
settings.load_profile("searching" if os.environ.get("NODEFLOW_FUZZ") else "steady")


# Tests that a shell starts in the background ignore Ctrl-C, and so would what they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--programs",
        action="store_true",
        help="run the tests that compare with other programs, and only these: "
        "what would be skipped there, fails",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "programs(*names): compares with these other programs, or takes long"
    )
    if config.getoption("programs") and not config.option.markexpr:
        config.option.markexpr = "programs"


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("programs"):
        if not mark.args and not item.config.getoption("programs"):
            pytest.skip("takes long: make test-programs")
        for name in mark.args:
            if find_spec(name) is None:
                pytest.skip(f"{name} is not installed: `make test-programs` compares with it")
        if "torch" in mark.args:
            # Tests run side by side: more threads for each would only wait for each other.
            importlib.import_module("torch").set_num_threads(1)


@pytest.fixture(autouse=True)
def _nothing_prepared() -> None:
    """A test that changes how graphs are laid out meets none that were laid out before."""
    if "nodeflow.engine.prepared" in sys.modules:
        importlib.import_module("nodeflow.engine.prepared").forget()


@pytest.fixture(scope="session", autouse=True)
def _folders_that_tests_name(
    tmp_path_factory: pytest.TempPathFactory,
) -> Generator[None, None, None]:
    """Folders that tests name for data are not kept in the home of whoever runs them."""
    kept = tmp_path_factory.mktemp("named") / "folders.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nodeflow.data.places.kept_in", lambda: kept)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and "NODEFLOW_DATA" not in os.environ and _wants_data(str(report.longrepr)):
        report.outcome = "skipped"
        where = item.location
        report.longrepr = (where[0], where[1] or 0, "Skipped: NODEFLOW_DATA is not set")
    skipped = report.skipped and not hasattr(report, "wasxfail")
    if skipped and item.config.getoption("programs"):
        report.outcome = "failed"
        report.longrepr = f"skipped, where nothing may be: {call.excinfo.value}"
    return report


def _wants_data(text: str) -> bool:
    """Tell whether a test ended since a public set is not here that `nodeflow data get` fetches."""
    return any(
        f"there is no data set '{name}" in text or f"`nodeflow data get {name}`" in text
        for name in FETCHABLE
    )


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser for the tests of a module."""
    from helpers_browser import NAMES, browser, executable

    if executable() is None:
        pytest.skip(f"no page can be tested: there is none of {', '.join(NAMES)}")
    with browser() as found:
        yield found


@pytest.fixture
def shown(chromium: Any, tmp_path: Path) -> Callable[..., Any]:
    """A function that opens the page of a graph that computes, as a reader has it."""
    from nodeflow.export import live

    def open_page(graph: Any, fragment: str = "", **options: Any) -> Any:
        path = tmp_path / "page.html"
        path.write_text(live.page(graph, **options), encoding="utf-8")
        chromium.size(1280, 800)
        chromium.media()
        chromium.open(path, fragment)
        return chromium

    return open_page
