"""What a person does from start to end, with a real window, mouse and keyboard."""

import os
import signal
import time
from dataclasses import replace

import pytest
from helpers_window import ROOT, SIZE, wait_for

import nodeflow as nf
from nodeflow.streams import INTERRUPTED

WHEAT = ROOT / "graphs" / "wheat-seeds.json"
XOR = ROOT / "graphs" / "xor.json"

# What is placed where, in pixels of the canvas, and what is typed into the inspector.
PLACES = {
    "dataset": (30, 60),
    "parameter": (30, 260),
    "parameter_2": (30, 440),
    "weighted_sum": (260, 60),
    "sigmoid": (260, 260),
    "parameter_3": (480, 260),
    "parameter_4": (480, 440),
    "weighted_sum_2": (480, 60),
    "sigmoid_2": (700, 60),
    "squared_error": (700, 260),
    "gradient_descent": (880, 440),
}
TYPED = {
    "parameter": ("shape", "2, 2"),
    "parameter_2": ("shape", "2"),
    "parameter_3": ("shape", "1, 2"),
    "parameter_4": ("shape", "1"),
    "gradient_descent": ("rate", "2"),
}
WIRES = [
    ("dataset.x", "weighted_sum.a"),
    ("parameter.value", "weighted_sum.weights"),
    ("parameter_2.value", "weighted_sum.bias"),
    ("weighted_sum.z", "sigmoid.z"),
    ("sigmoid.a", "weighted_sum_2.a"),
    ("parameter_3.value", "weighted_sum_2.weights"),
    ("parameter_4.value", "weighted_sum_2.bias"),
    ("weighted_sum_2.z", "sigmoid_2.z"),
    ("sigmoid_2.a", "squared_error.a"),
    ("dataset.y", "squared_error.y"),
    ("squared_error.cost", "gradient_descent.cost"),
]


def type_of(node):
    return node.rstrip("_234")


def row_of(window, mouse, name):
    """Scroll the library until a type's row is in view, and return where it is."""
    for direction in (-4, 4):
        for _ in range(12):
            place = window.state["places"].get(f"library {name}")
            if place and 80 < place[1] < 900:
                return place[0] + 60, place[1] + place[3] / 2
            mouse.wheel(100, 600, direction)
            window.settled()
    raise AssertionError(f"{name} is not in the library")


def place_by_mouse(window, mouse, node, at):
    left, top, *_ = window.state["area"]
    mouse.drag(row_of(window, mouse, type_of(node)), (left + at[0] + 20, top + at[1] + 12))
    window.until(lambda state: node in state["nodes"] and state["selection"] == [node])


def type_into(window, mouse, place, text):
    window.settled()  # fields move while a panel is filled
    mouse.click(*window.wait(place))
    window.until(lambda state: state["typing"])
    mouse.key("a", "Control_L")
    mouse.write(text)
    mouse.key("Return")


def choose_in_menu(window, mouse, menu, item):
    mouse.click(*window.wait(f"menu {menu}"))
    mouse.click(*window.wait(f"menu {item}"))  # where it is as soon as the menu is open


def trained(state):
    return state["cost"] is not None and state["cost"] < 0.01


def test_xor_by_mouse_alone(started, mouse, screen, home, shot):
    window = started()
    window.until(lambda state: state["count"] == [0, 0])
    window.settled()
    for node, at in PLACES.items():
        place_by_mouse(window, mouse, node, at)
        if node in TYPED:
            setting, text = TYPED[node]
            type_into(window, mouse, f"field {setting}", text)
            window.until(lambda state: setting in state["settings"][node])  # noqa: B023
    for start, end in WIRES:
        ports = window.state["ports"]
        mouse.drag(window.on_screen(*ports[start]), window.on_screen(*ports[end]), steps=4)
        window.until(lambda state: any(w.startswith(f"{start} -> {end}") for w in state["wires"]))  # noqa: B023
    type_into(window, mouse, "training epochs", "2000")
    window.until(lambda state: state["training"][0] == 2000)
    mouse.click(*window.wait("training play"))
    window.until(trained, 60)
    window.settled()
    shot("trained")
    mouse.click(*window.wait("menu File"))
    window.settled()
    shot("menu")
    mouse.click(*window.wait("menu Save"))
    mouse_at = window.wait("sheet Save")
    window.settled()
    shot("save")
    mouse.click(*mouse_at)
    window.until(lambda state: state["path"] and not state["changed"])
    saved = window.settled()["digest"]  # the sheet takes the clicks until it is gone
    # The history leads back to the empty canvas, and again to the end.
    choose_in_menu(window, mouse, "Edit", "History …")
    window.wait("popup 20")
    middle = window.state["area"][0] + 400, 300
    mouse.wheel(*middle, 30)
    mouse.click(*window.wait("popup 0"))
    window.until(lambda state: state["count"] == [0, 0])
    choose_in_menu(window, mouse, "Edit", "History …")
    window.wait("popup 1")
    window.settled()
    shot("history")
    mouse.wheel(*middle, -30)
    window.settled()
    last = max(int(name[6:]) for name in window.state["places"] if name.startswith("popup "))
    mouse.click(*window.wait(f"popup {last}"))
    window.until(lambda state: state["digest"] == saved)
    screen.ask_to_close()
    assert window.process.wait(10) == 0
    again = started(home / "work" / "untitled.json")
    state = again.until(lambda state: state["count"] == [11, 11])
    assert state["digest"] == saved


def place_by_keyboard(window, mouse, node):
    mouse.key("Tab")
    window.until(lambda state: state["ready"])
    text = {"weig": "weighted", "grad": "gradient d", "squa": "squared"}.get(node[:4], node[:4])
    mouse.write(text)
    window.until(lambda state: state["text"] == text)
    mouse.key("Return")
    window.until(lambda state: state["selection"] == [node])


def wire_by_keyboard(window, mouse, port, other):
    """Wire a port of the selected node: its name, if it has others, then where the wire is from."""
    node, _, name = port.partition(".")
    ports = [one for one in window.state["ports"] if one.startswith(f"{node}.")]
    mouse.key("w")
    for text in (*([name] if len(ports) > 1 else []), other[-7:]):
        window.until(lambda state: state["ready"] and not state["text"])
        mouse.write(text)
        window.until(lambda state: state["text"] == text)  # noqa: B023
        mouse.key("Return")
    window.until(lambda state: any(w.startswith(f"{other} -> {port}") for w in state["wires"]))


def set_by_keyboard(window, mouse, node, setting, text):
    mouse.key("s")
    window.until(lambda state: state["popup"] == "Settings" and state["ready"])
    mouse.write(setting)
    window.until(lambda state: state["text"] == setting)
    mouse.key("Return")
    window.until(lambda state: state["popup"] == "Editing" and state["ready"])
    mouse.key("a", "Control_L")
    mouse.write(text)
    window.until(lambda state: state["text"] == text)
    mouse.key("Return")
    window.until(lambda state: setting in state["settings"][node])


def test_xor_by_keyboard_alone(started, mouse, home, shot):
    mouse.move(800, 500)
    window = started()
    window.until(lambda state: state["count"] == [0, 0])
    window.settled()
    for node in PLACES:
        place_by_keyboard(window, mouse, node)
        if node in TYPED:
            setting, text = TYPED[node]
            text = text if setting == "rate" else f"[{text.replace(' ', '')}]"
            set_by_keyboard(window, mouse, node, setting, text)
        for start, end in WIRES:
            if end.startswith(f"{node}."):
                there = start.partition(".")[0] in window.state["nodes"]
                if there:
                    wire_by_keyboard(window, mouse, end, start)
            elif start.startswith(f"{node}.") and end.partition(".")[0] in window.state["nodes"]:
                wire_by_keyboard(window, mouse, start, end)
    window.until(lambda state: state["count"] == [11, 11])
    mouse.key("l", "Control_L")
    mouse.key("f")
    window.settled()
    for _ in range(100):  # ten epochs a time
        epoch = window.state["live"][1]
        mouse.key("F5")
        window.until(lambda state: state["live"][0] == "done" and state["live"][1] > epoch)  # noqa: B023
        if trained(window.state):
            break
    window.settled()
    shot("trained")
    assert trained(window.state)
    mouse.key("s", "Control_L")
    window.until(lambda state: state["sheet"] and state["sheet_ready"])
    mouse.key("Return")
    window.until(lambda state: state["path"] and not state["changed"])
    saved = window.state["digest"]
    before = None
    while window.state["count"] != [0, 0] and window.state["notice"] != before:
        before = "nothing is left to undo"
        mouse.key("z", "Control_L")
        window.settled(3)
    window.until(lambda state: state["count"] == [0, 0])
    shot("undone")
    mouse.key("q", "Control_L")
    assert window.process.wait(10) == 0
    again = started()  # what was open last is open again
    state = again.until(lambda state: state["count"] == [11, 11])
    assert state["digest"] == saved
    assert state["path"] == str(home / "work" / "untitled.json")


@pytest.mark.skipif(not os.environ.get("NODEFLOW_DATA"), reason="NODEFLOW_DATA is not set")
def test_wheat_is_taken_apart_and_put_together(started, mouse, shot):
    mouse.move(800, 500)
    window = started(WHEAT)
    start = window.until(lambda state: state["count"][0] > 5)
    before = start["digest"]
    window.settled()
    shot("folded")
    counts = [start["count"]]
    for name, key, held in (
        ("unfolded", "u", ["Control_L"]),
        ("exploded", "k", ["Control_L"]),
        ("collapsed", "k", ["Control_L", "Shift_L"]),
        ("as before", "y", ["Control_L", "Shift_L"]),
    ):
        mouse.key(key, *held)
        window.until(lambda state: state["count"] != counts[-1])
        window.settled()
        counts.append(window.state["count"])
        shot(name)
    assert counts[0] == counts[4]
    assert counts[1] == counts[3]
    assert counts[2] > counts[1] > counts[0]
    assert window.state["digest"] == before


def test_work_is_there_after_kill_9(started, mouse, home, shot):
    mouse.move(800, 500)
    window = started()
    window.until(lambda state: state["count"] == [0, 0])
    window.settled()
    for node in ("dataset", "panel"):
        place_by_keyboard(window, mouse, node)
    wire_by_keyboard(window, mouse, "panel.value", "dataset.x")
    lost = window.state["digest"]
    kept = "state/nodeflow/journal/*/*.json"  # it waits a second for more
    wait_for(lambda: any("dataset.x -> panel.value" in f.read_text() for f in home.glob(kept)))
    window.kill()
    again = started()
    again.until(lambda state: state["sheet"])
    again.settled()
    shot("asks")
    mouse.key("Return")
    state = again.until(lambda state: state["count"] == [2, 1])
    assert state["digest"] == lost
    assert state["changed"]
    again.settled()
    shot("recovered")
    mouse.key("z", "Control_L")
    again.until(lambda state: state["count"] == [0, 0])
    mouse.key("z", "Control_L", "Shift_L")
    again.until(lambda state: state["count"] == [2, 1])
    # So does Ctrl-C in the terminal: it asks, and who does not answer has the work kept.
    again.process.send_signal(signal.SIGINT)
    again.until(lambda state: state["popup"] == "Question")
    mouse.key("Escape")  # who stays is asked again, and not thrown out
    again.until(lambda state: state["popup"] == "NoneType")
    again.process.send_signal(signal.SIGINT)
    again.until(lambda state: state["popup"] == "Question")
    again.process.send_signal(signal.SIGINT)
    assert again.process.wait(20)
    third = started()
    third.until(lambda state: state["sheet"])
    mouse.key("Return")
    assert third.until(lambda state: state["count"] == [2, 1])["digest"] == lost
    third.process.send_signal(signal.SIGINT)
    third.until(lambda state: state["popup"] == "Question")
    mouse.key("Escape")
    third.until(lambda state: state["popup"] == "NoneType")
    mouse.key("z", "Control_L")
    third.until(lambda state: not state["changed"])
    mouse.key("q", "Control_L")
    assert third.process.wait(20) == 0  # closed by its own key, whatever came before
    fourth = started()
    fourth.until(lambda state: state["count"] == [0, 0])
    fourth.process.send_signal(signal.SIGINT)  # nothing is changed: it ends at once
    assert fourth.process.wait(20) == INTERRUPTED


def test_the_first_start_has_xor_and_the_first_lesson(started, mouse, shot):
    window = started(toured=False)
    window.until(lambda state: state["task"] == 0 and state["count"][0] == 12, 60)
    window.settled()
    shot("before")
    mouse.click(*window.wait("lesson play"))
    window.until(lambda state: state["task"] == 1, 60)
    window.settled()
    shot("after")


def test_a_sample_is_chosen_by_its_picture(started, mouse, shot):
    window = started()
    choose_in_menu(window, mouse, "File", "Samples …")
    window.until(lambda state: state["popup"] == "Panel")
    window.settled()
    shot("list")
    for _ in range(3):
        mouse.key("Down")
    window.settled()
    mouse.key("Return")
    window.until(lambda state: state["task"] == 0 and state["count"][0] > 3)
    window.settled()
    shot("opened")


def test_a_teacher_makes_a_lesson_and_does_it(started, mouse, home, shot):
    """From a graph to a page with a lesson, by mouse and keys."""
    window = started(ROOT / "graphs" / "one-neuron.json")
    window.until(lambda state: state["count"][0] == 6 and "sum.z" in state["values"])
    choose_in_menu(window, mouse, "Lesson", "Edit the lesson")
    window.until(lambda state: state["making"])
    for kind, fields in (
        ("at", {"text": "Go to the sum", "goal": "0:0:sum"}),
        ("ask", {"text": "Predict", "question": "What does it cost?", "goal": "cost.cost"}),
    ):
        before = window.state["tasks"]
        window.settled()
        mouse.click(*window.wait(f"lesson kind {kind}"))
        window.settled()
        for name, text in fields.items():
            type_into(window, mouse, f"lesson {name}", text)
            window.settled()
        mouse.click(*window.wait("lesson add"))
        window.until(lambda state, before=before: state["tasks"] == before + 1)
        window.settled()
    for chosen, name, part, wanted in (
        (("x", "w"), "lock", "locked", ["w", "x"]),
        (("train",), "hide", "hidden", ["train"]),
        (("cost", "sum"), "types", "types", ["squared_error", "weighted_sum"]),
    ):
        mouse.click(*window.middle(chosen[0]))
        window.until(lambda state, chosen=chosen: state["selection"] == [chosen[0]])
        mouse.raw("key", "Shift_L")
        for node in chosen[1:]:
            mouse.click(*window.middle(node))
        mouse.raw("key up", "Shift_L")
        window.until(lambda state, chosen=chosen: state["selection"] == sorted(chosen))
        window.settled()
        mouse.click(*window.wait(f"lesson {name}"))
        window.until(
            lambda state, part=part, wanted=wanted: sorted(state["restricted"][part]) == wanted
        )
    window.settled()
    shot("made")
    mouse.click(*window.wait("lesson try"))
    window.until(lambda state: state["task"] == 0 and not state["making"])
    window.settled()
    assert "train" not in window.state["nodes"], "it is hidden"
    offered = {name for name in window.state["places"] if name.startswith("library ")}
    assert offered == {"library squared_error", "library weighted_sum"}
    for _ in range(12):
        if window.state["task"] == 1:
            break
        number = window.state["playback"]["number"]
        mouse.key("F10")
        window.until(lambda state, number=number: state["playback"]["number"] > number)
    window.until(lambda state: state["task"] == 1)
    window.settled()
    shot("asked")
    mouse.key("a")  # what the card's field takes by mouse
    window.until(lambda state: state["popup"] == "Ask" and state["ready"])
    mouse.write("7")
    mouse.key("Return")
    window.until(lambda state: state["said"].startswith("Not yet"))
    window.settled()
    type_into(window, mouse, "lesson answer", "0.49")
    window.until(lambda state: state["task"] == 2)
    window.settled()
    shot("done")


def card_fits(window, *names):
    """Assert that these parts of a lesson's card lie in the canvas."""
    left, top, wide, high = window.state["area"]
    for name in names:
        x, y = window.wait(f"lesson {name}")
        assert left < x < left + wide, name
        assert top < y < top + high, name


def test_a_lesson_of_many_tasks_is_scrolled_and_exported(screen, started, mouse, home, shot):
    tasks = [{"text": f"Go to the sum of epoch {n}, and see what is added up there.",
              "at": f"{n}:0:sum"} for n in range(16)]  # fmt: skip
    graph = nf.sample("one-neuron")
    lesson = replace(graph, extra={"lesson": {"tasks": tasks, "locked": "*"}})
    nf.save(lesson, home / "work" / "many.json")
    window = started(home / "work" / "many.json")
    window.until(lambda state: state["task"] == 0)
    choose_in_menu(window, mouse, "Lesson", "Edit the lesson")
    window.until(lambda state: state["making"])
    window.settled()
    shot("many")
    card_fits(window, "change 15", "add", "lock", "page")  # it begins at the newest task
    assert "lesson change 0" not in window.state["places"], "the first ones are scrolled away"
    mouse.wheel(*window.wait("lesson change 15"), 40)
    window.until(lambda state: "lesson change 0" in state["places"])
    beside = SIZE[1] - window.state["area"][3]
    for wide, high in ((1200, 640), SIZE):
        screen.resize(wide, high)
        window.until(lambda state, high=high: state["area"][3] == high - beside)
        window.settled()
        shot(f"many in {high}")
        card_fits(window, "change 0", "add", "page")  # and stays where it was scrolled to
    mouse.click(*window.wait("lesson page"))
    window.until(lambda state: state["sheet"].startswith("Export") and state["sheet_ready"])
    mouse.key("Return")
    window.until(lambda state: state["notice"].startswith("exported many.html"), 60)
    assert (home / "work" / "many.html").read_text("utf-8").startswith("<!doctype html>")


def test_a_new_network_is_made_and_files_are_asked_for(started, mouse, home, shot):
    (home / "work" / "other.json").write_text("{}")
    window = started(XOR)
    window.until(lambda state: state["count"][0] == 12)
    window.settled()
    mouse.key("n", "Control_L", "Shift_L")
    window.until(lambda state: state["sheet"] == "New network" and state["sheet_ready"])
    mouse.key("a", "Control_L")
    mouse.write("3-4-1")
    mouse.key("Return")
    window.settled()
    shot("does not fit")
    assert window.state["sheet"] == "New network"
    mouse.key("a", "Control_L")
    mouse.write("2-3-1")
    mouse.key("Return")
    window.until(lambda state: not state["sheet"])
    window.until(lambda state: "hidden" in state["nodes"] and not state["path"])
    window.settled()
    shot("made")
    # Another file is not written over without a question.
    mouse.key("s", "Control_L")
    window.until(lambda state: state["sheet"] and state["sheet_ready"])
    mouse.key("a", "Control_L")
    mouse.write("other")
    mouse.key("Return")
    window.wait("sheet Replace it")
    window.settled()
    shot("asks")
    mouse.key("Escape")
    window.until(lambda state: "sheet Replace it" not in state["places"] and state["sheet_ready"])
    assert (home / "work" / "other.json").read_text() == "{}"
    mouse.key("a", "Control_L")
    mouse.write("mine")
    mouse.key("Return")
    window.until(lambda state: state["path"] == str(home / "work" / "mine.json"))
    mouse.key("o", "Control_L")
    window.until(lambda state: state["sheet"] and state["sheet_ready"])
    mouse.write("zzz")
    mouse.key("Return")
    window.settled()
    shot("not found")
    mouse.key("a", "Control_L")
    mouse.write("oth")
    time.sleep(0.3)
    mouse.key("Return")
    window.until(lambda state: "other.json" in state["notice"])
    assert window.state["path"].endswith("mine.json")
    mouse.key("o", "Control_L", "Shift_L")
    window.until(lambda state: state["popup"] == "Panel")
    window.settled()
    shot("recent")
    mouse.key("Down")
    mouse.key("Return")
    window.until(lambda state: state["path"] == str(XOR))


def select(window, mouse, node):
    window.show(node, mouse)
    mouse.move(*window.middle(node))
    window.until(lambda state: state["hover"] == f"node:{node}")
    mouse.click(*window.middle(node))
    window.until(lambda state: state["selection"] == [node])


def test_values_are_changed_in_the_inspector(started, mouse, shot):
    window = started(XOR)
    window.until(lambda state: state["count"][0] == 12)
    window.settled()
    mouse.key("F5")
    window.until(lambda state: state["live"][0] == "done", 60)
    epoch = window.state["live"][1]
    select(window, mouse, "theta1")
    type_into(window, mouse, "field value", "0.5")  # its first cell
    window.until(lambda state: state["values"]["theta1.value"][0] == 0.5)
    assert "0.5" not in window.state["settings"]["theta1"].get("value", "")  # it is no start
    window.settled()
    shot("a weight is changed")
    assert window.state["live"][1] == epoch
    select(window, mouse, "train")
    type_into(window, mouse, "field rate", "-3x")
    window.settled()
    shot("what cannot be is kept red")
    assert window.state["settings"]["train"]["rate"] == "2.0"
    assert "still 2" in window.state["notice"]  # Enter was for the field alone, which says why
    place_by_keyboard(window, mouse, "expression")
    window.until(lambda state: state["marked"].get("expression"))
    set_by_keyboard(window, mouse, "expression", "formula", "p/q")  # it has other ports then
    window.until(lambda state: [text[:1] for text in state["told"][-3:]] == ["p", "q", "v"])
    for name in "pq":
        wire_by_keyboard(window, mouse, f"expression.{name}", "hidden_a.a")
    window.until(lambda state: "expression" not in state["marked"])
    set_by_keyboard(window, mouse, "expression", "formula", "p/2")  # without a problem
    window.until(lambda state: [text[:1] for text in state["told"][-2:]] == ["p", "v"])


@pytest.mark.parametrize("where", ["key", "draw"])
def test_a_fault_of_nodeflow_does_not_lose_the_work(started, mouse, home, where, shot):
    window = started(XOR, NODEFLOW_TEST_FAULTS=where)
    window.until(lambda state: state["count"][0] == 12)
    window.settled()
    select(window, mouse, "cost")
    mouse.key("Delete")
    window.until(lambda state: state["count"][0] == 11)
    if where == "key":
        mouse.key("F9")
    else:
        window.show("train", mouse)
        mouse.click(*window.middle("train"))
        mouse.click(*window.middle("train"))
    window.until(lambda state: "on purpose" in state["notice"])
    wait_for(lambda: list(home.glob("state/nodeflow/journal/*/*.json")))
    window.settled()
    shot()
    mouse.move(700, 750)
    mouse.click(700, 750)
    window.until(lambda state: state["selection"] == [])
    mouse.key("z", "Control_L")
    window.until(lambda state: state["count"][0] == 12)
    window.process.terminate()
    assert "on purpose" in window.process.stderr.read()


def test_a_table_of_ones_own_becomes_a_network(started, mouse, home, shot):
    rows = "".join(f"{i * 7 % 10},{i * 3 % 11},{'xy'[i % 2]}\n" for i in range(30))
    (home / "work" / "mine.csv").write_text("a,b,kind\n" + rows)
    window = started(XOR)
    window.until(lambda state: state["count"][0] == 12)
    window.settled()
    mouse.key("n", "Control_L", "Shift_L")
    window.until(lambda state: state["sheet"] == "New network" and state["sheet_ready"])
    mouse.key("Down")
    for _ in range(4):
        mouse.key("Left")  # from xor over the first to the last, which is a file
    mouse.key("Return")
    window.until(lambda state: state["sheet"] == "Choose the data" and state["sheet_ready"])
    mouse.write(str(home / "work" / "mine.csv"))
    mouse.key("Return")
    window.until(lambda state: state["sheet"] == "New network" and state["sheet_ready"])
    window.settled()
    shot("table")
    mouse.key("Return")
    window.until(lambda state: not state["sheet"])
    window.until(lambda state: "output" in state["nodes"] and not state["path"])
