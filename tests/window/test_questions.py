"""The eight questions of docs/questions.md, asked of the real window, answered by what it shows."""

import re

import pytest
from helpers_window import ROOT

GRAPHS = ROOT / "graphs"


class Person:
    """Mouse and keys, counted."""

    def __init__(self, started, mouse, graph):
        self.window, self.mouse = started(GRAPHS / f"{graph}.json"), mouse
        self.clicks = self.keys = 0
        self.until(lambda state: state["live"][0] == "still" and state["values"])
        self.window.settled()

    def until(self, holds, seconds=40.0):
        return self.window.until(holds, seconds)

    def click(self, x, y):
        self.clicks += 1
        self.mouse.click(x, y)

    def drag(self, start, end):
        self.clicks += 1
        self.mouse.drag(start, end)

    def key(self, *names):
        self.keys += 1
        self.mouse.key(*names)

    def train(self):
        self.key("space")
        self.until(lambda state: state["live"][0] == "done")

    def select(self, node):
        self.keys += self.window.show(node, self.mouse)
        self.click(*self.window.middle(node))
        self.until(lambda state: state["selection"] == [node])
        return self.told()

    def told(self, *words):
        """Return what the panel says, when the words are in it."""

        def text(state):
            return " ".join(" ".join(state["told"]).split())

        self.until(lambda state: state["told"] and all(word in text(state) for word in words))
        return text(self.window.state)

    def map(self):
        self.key("m")
        return self.until(lambda state: any(dot[2] for dot in state["map"].values()))["map"]


def _number(text, name):
    found = re.search(rf"\b{name} (−?[\d.e−]+)", text)
    return float(found[1].replace("−", "-"))


def wrong(person):
    """Which output was wrong, and by how much?"""
    person.train()
    dots = person.map()
    outputs = [dot for name, dot in dots.items() if name.startswith("output ")]
    values = [float(dot[2].replace("−", "-")) for dot in outputs]
    assert len(outputs) == 3
    for dot, value in zip(outputs, values, strict=True):
        assert _number(dot[4], "e") == pytest.approx(value - _number(dot[4], "y"), abs=0.011)
    run = person.window.state["values"]
    assert values == pytest.approx(run["output_a.a"], abs=0.0051)


def responsible(person):
    """Which hidden neuron answers for it?"""
    person.train()
    dots = person.map()
    person.window.settled()
    x, y = person.window.state["map"]["output 1"][:2]
    assert dots.keys() == person.window.state["map"].keys()
    person.click(x, y)
    person.until(lambda state: state["neuron"] == ["output", 0])
    found = re.findall(r"hidden (\d) ([\d.]+)", person.told("Blame for the error of output 1"))
    shares = [float(share) for _, share in found]
    assert len(found) >= 4
    assert shares == sorted(shares, reverse=True)


def still(person):
    """Why did accuracy sit still?"""
    person.train()
    person.select("accuracy")
    text = person.told("from epoch")
    first, last = map(int, re.search(r"from epoch (\d+) to (\d+)", text).groups())
    assert last - first > 3000
    assert "as many rows as before were right" in text


def derivative(person):
    """Where does 4.5 w − 1.5 come from?"""
    person.select("w")
    person.key("d")
    text = person.told("4.5·w − 1.5")
    assert "4.5 = 2·x² = 2·1.5²" in text
    assert "1.5 = 2·x·y = 2·1.5·0.5" in text


def regularization(person):
    """What does λ do?"""
    person.train()
    for node in ("λ", "with_λ", "without"):
        person.keys += person.window.show(node, person.mouse)
    x, y, wide, high = person.window.state["nodes"]["λ"]
    slider = person.window.state["settings"]["λ"]
    share = float(slider["value"]) / float(slider["max"])
    along = 10 + share * (wide - 20)
    start = person.window.on_screen(x + along, y + high - 35)
    person.drag(start, person.window.on_screen(x + wide - 10, y + high - 35))
    person.until(lambda state: state["settings"]["λ"]["value"] != slider["value"])
    assert {"with_λ", "without"} <= person.window.state["nodes"].keys()


def alike(person):
    """Why do weights that are all 0 fail?"""
    person.train()
    person.select("hidden")
    assert person.told("All 4 neurons have the same weights")


def bias(person):
    """Do I need the bias?"""
    person.train()
    before = person.window.state["cost"]
    for node in ("bias1", "output"):
        person.keys += person.window.show(node, person.mouse)
    start, end = (person.window.on_screen(*person.window.state["ports"][port])
                  for port in ("bias1.value", "output.bias"))  # fmt: skip
    person.drag(start, end)
    person.until(lambda state: "bias1.value -> output.bias" in state["wires"])
    person.until(lambda state: state["live"] == ["still", 0])
    person.train()
    assert person.window.state["cost"] < before / 3


def price(person):
    """Why not use the numeric gradient always?"""
    person.click(*person.window.wait("training Check"))
    notice = person.until(lambda state: "digits" in state["notice"])["notice"]
    digits, times = re.search(
        r"to (\d+) digits and took [\d.]+ m?s, the backward pass [\d.]+ [mµ]?s: ([\d,]+) times",
        notice,
    ).groups()
    assert int(digits) >= 6
    assert int(times.replace(",", "")) > 20


QUESTIONS = {
    wrong: ("wheat-seeds", 12),
    responsible: ("wheat-seeds", 14),
    still: ("plateau", 6),
    derivative: ("one-neuron", 6),
    regularization: ("lambda-twins", 6),
    alike: ("symmetry-zeros", 4),
    bias: ("lessons/do-i-need-the-bias", 4),
    price: ("xor", 6),
}


def documented():
    """Return graph, clicks and keys of each question, as the page has them."""
    found = {}
    for line in (ROOT / "docs" / "questions.md").read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and cells[3].isdigit():
            found[cells[0]] = cells[1].strip("`"), int(cells[3]), int(cells[4])
    return found


def test_the_page_has_the_eight_questions_and_keeps_to_their_limits() -> None:
    page = documented()
    assert len(page) == len(QUESTIONS) == 8
    for (graph, most), (told, clicks, keys) in zip(QUESTIONS.values(), page.values(), strict=True):
        assert told == graph
        assert clicks + keys <= most


@pytest.mark.parametrize("ask", QUESTIONS, ids=lambda ask: ask.__name__)
def test_a_question_is_answered_with_so_many_clicks_and_keys(ask, started, mouse, shot) -> None:
    graph, _ = QUESTIONS[ask]
    person = Person(started, mouse, graph)
    ask(person)
    person.window.settled()
    shot()
    place = list(QUESTIONS).index(ask)
    assert (graph, person.clicks, person.keys) == list(documented().values())[place]
