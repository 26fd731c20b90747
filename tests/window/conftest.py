"""Fixtures of the tests with a real window."""

import pytest
from helpers_window import Mouse, Opened, Screen, missing, save_png


@pytest.fixture(scope="session")
def screen():
    reason = missing()
    if reason:
        pytest.skip(f"no window can be tested: {reason}")
    made = Screen()
    yield made
    made.close()


@pytest.fixture
def opened(screen):
    """Open windows, and close them after the test."""
    made = []

    def open_(*arguments, **environment):
        made.append(Opened(screen, *arguments, **environment))
        return made[-1]

    yield open_
    for window in made:
        window.close()


@pytest.fixture
def home(tmp_path):
    """A home without files: preferences and journals of the tests lie there."""
    for name in ("config", "state", "work"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def started(opened, home):
    """Start the editor as the command line does."""

    def start(*arguments, toured=True, **environment):
        preferences = home / "config" / "nodeflow" / "preferences.json"
        if toured and not preferences.exists():
            preferences.parent.mkdir()
            preferences.write_text('{"toured": true}')
        return opened(
            *arguments, NODEFLOW_TEST_REAL="1", XDG_CONFIG_HOME=str(home / "config"),
            XDG_STATE_HOME=str(home / "state"), cwd=home / "work", **environment,
        )  # fmt: skip

    return start


@pytest.fixture
def mouse(screen):
    return Mouse(screen)


@pytest.fixture
def shot(screen, tmp_path_factory, request):
    """Take a picture; it is kept beside the others of this session."""
    folder = tmp_path_factory.getbasetemp() / "screenshots"
    folder.mkdir(exist_ok=True)

    def take(name=""):
        pixels = screen.picture()
        of = request.node.name.replace("/", "-")  # samples lie in folders
        save_png(pixels, folder / f"{of}{'-' if name else ''}{name}.png")
        return pixels

    return take
