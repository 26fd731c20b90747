"""Leaving with changes that are not saved, with a real window."""

from helpers_window import ROOT

import nodeflow as nf


def test_quitting_saves_first_and_then_goes_on_by_itself(started, mouse, home, shot):
    window = started()
    window.until(lambda state: state["area"])
    mouse.move(700, 400)
    mouse.key("Tab")
    window.until(lambda state: state["popup"] == "Search" and state["ready"])
    mouse.write("slider")
    window.until(lambda state: state["text"] == "slider")
    mouse.key("Return")
    window.until(lambda state: state["count"] == [1, 0])

    def ask():
        mouse.key("q", "Control_L")
        window.until(lambda state: state["popup"] == "Question")
        shot("asked")
        mouse.key("Return")
        window.until(lambda state: state["sheet"] == "Save the graph" and state["sheet_ready"])

    ask()
    mouse.key("Escape")
    state = window.until(lambda state: not state["sheet"])
    assert state["changed"]
    assert window.process.poll() is None
    ask()
    mouse.key("a", "Control_L")
    mouse.write("kept")
    shot("named")
    mouse.key("Return")
    assert window.process.wait(10) == 0
    assert nf.load(home / "work" / "kept.json").nodes["slider"].type == "slider"
    assert not list((home / "state").glob("nodeflow/journal/*"))


def test_in_a_small_window_the_curves_make_room_for_what_is_selected(started, mouse, shot):
    window = started(ROOT / "graphs" / "xor.json", NODEFLOW_TEST_SIZE="1024x700")
    window.until(lambda state: state["live"][0] == "still" and state["values"])
    window.settled()
    (_, (_, top, _, high)), (_, above, _, tall) = window.state["curve"], window.state["area"]
    assert above < top < top + high < above + tall
    mouse.click(*window.middle("theta1"))
    window.until(lambda state: state["selection"] == ["theta1"])
    _, y = window.wait("field value")
    assert above < y < above + tall
    window.settled()
    shot()
    mouse.key("Escape")
    window.until(lambda state: not state["selection"] and state["curve"][1])
    for _ in range(10):  # to texts of twice the size
        mouse.key("equal", "Control_L")
    window.settled()
    mouse.key("e", "Control_L", "Shift_L")
    window.until(lambda state: state["sheet"])
    window.settled()
    for _ in range(6):  # from the formats to the last line: below the edge of the window
        mouse.key("Tab")
        window.settled()
    places = window.state["places"]
    left, top, wide, high = next(places[key] for key in places if key.endswith("##scale"))
    assert 0 <= left <= left + wide <= 1024
    assert 0 <= top <= top + high <= 700
    shot("twice")
    # So do many runs: the settings with their whole names, and the line that is lit.
    mouse.key("Escape")
    window.until(lambda state: not state["sheet"])
    mouse.key("m", "Control_L")
    window.until(lambda state: state["sheet"] and state["sheet_ready"])
    for _ in range(3):  # to the file, which was below
        line = window.state["line"]
        mouse.key("Tab")
        window.until(lambda state, line=line: state["line"] != line and state["sheet_ready"])
    window.settled()
    left, top, wide, high = window.state["places"]["sheet .csv"]
    assert 0 <= left <= left + wide <= 1024
    assert 0 <= top <= top + high <= 700
    for _ in range(5):  # to the list, and down in it to what was below
        mouse.key("Tab" if window.state["line"] == 3 else "Down")
        window.settled()
    left, top, wide, high = window.state["places"]["sheet ▸ bias1.init"]
    assert 0 <= left <= left + wide <= 1024
    assert 0 <= top <= top + high <= 460
    shot("many")


def test_a_file_with_a_fault_in_a_node_opens_and_is_mended_in_its_field(started, home, mouse, shot):
    text = (ROOT / "graphs" / "xor.json").read_text("utf-8")
    path = home / "work" / "faulty.json"
    text = text.replace('"rate": 2.0', '"rate": "fast"')
    text = text.replace('"wires": [', '"wires": [\n    "data.x -> output.q",')
    path.write_text(text, encoding="utf-8")
    window = started(path)
    window.until(lambda state: state["count"] == [12, 13] and state["live"][0] == "still")
    said = window.settled()["notice"]
    assert said.startswith("faulty.json: train.rate must be a finite number")
    assert said.endswith("and 1 more")
    assert window.state["marked"].keys() == {"train", "data", "output"}
    assert "'output' (weighted_sum) has no input 'q'" in window.state["marked"]["data"]
    shot("marked")
    mouse.click(*window.middle("train"))
    window.until(lambda state: state["selection"] == ["train"])
    assert window.settled()["typed"]["rate"][0] == "fast"
    shot()
    mouse.click(*window.wait("training rate"))
    window.until(lambda state: state["typing"])
    mouse.key("a", "Control_L")
    mouse.write("0.5")
    mouse.key("Return")
    window.until(lambda state: state["settings"]["train"].get("rate") == "0.5")
    window.until(lambda state: state["typed"]["rate"] == ["0.5", ""])
    assert window.settled()["marked"].keys() == {"data", "output"}
    # The wire would be gone from the file: that is asked before.
    mouse.key("s", "Control_L")
    window.until(lambda state: state["popup"] == "Question")
    window.settled()
    shot("asked")
    assert "output.q" in path.read_text("utf-8")
    mouse.key("Return")
    window.until(lambda state: not state["changed"] and not state["marked"])
    assert nf.load(path).settings("train")["rate"] == 0.5
