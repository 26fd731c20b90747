"""`nodeflow lesson`: typed through a pipe, and marked."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from nodeflow.cli import main

LESSON = Path(__file__).parent.parent / "graphs" / "lessons" / "where-4.5w-1.5-comes-from.json"
TYPED = "\n".join(
    [
        *("help", "1.3", "1.2", "go 0:0:cost.error", "1,4", "2.1"),
        *("set w.value [[1]]", "nonsense", "0.59", "train 40", "1/3"),
    ]
)


@pytest.fixture
def type_in(monkeypatch, capsys):
    def run(text: str, *arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        code = main(["lesson", *map(str, arguments)])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_a_lesson_is_typed_through_a_pipe(type_in) -> None:
    code, out, _ = type_in(TYPED, LESSON)
    assert code == 0
    assert "7 of 7 tasks done" in out
    assert out.count("✗ not yet") == 1  # 1.3
    assert out.count("is no number: type one such as 0.25, −3 or 2/3") == 1
    assert "'w' is locked" in out


def test_an_answer_is_written_and_marked(type_in, tmp_path) -> None:
    code, out, _ = type_in("1.2\n", LESSON, "-o", tmp_path / "a.json", "--json")
    told = json.loads(out)
    assert (code, told["done"], told["of"]) == (0, 1, 7)
    assert [task["done"] for task in told["tasks"]] == [True] + [False] * 6
    code, out, _ = type_in("", "check", LESSON, tmp_path / "a.json", "--json")
    (marks,) = json.loads(out)["answers"]
    assert (code, marks["done"], marks["of"], marks["error"]) == (0, 1, 7, None)
    assert marks["tasks"][0] == {
        "task": 0, "text": marks["tasks"][0]["text"], "goal": "ask", "done": True, "why": "",
        "typed": "1.2", "value": pytest.approx(1.2),
    }  # fmt: skip
    assert type_in("", "--json", "check", LESSON, tmp_path / "a.json")[:2] == (code, out)
    assert json.loads(type_in("1.2\n", "--json", LESSON)[1])["done"] == 1


def test_one_bad_answer_leaves_the_others_marked(type_in, tmp_path) -> None:
    type_in("1.2\n", LESSON, "-o", tmp_path / "a.json", "--json")
    (tmp_path / "b.json").write_text("{", encoding="utf-8")
    code, out, err = type_in(
        "", "check", LESSON, tmp_path / "b.json", tmp_path / "a.json", "--json"
    )
    bad, good = json.loads(out)["answers"]
    assert code == 1
    assert "b.json" in bad["error"]
    assert good["done"] == 1
    code, out, err = type_in("", "check", LESSON, tmp_path / "b.json", tmp_path / "a.json")
    assert code == 1
    assert "1 of 7 tasks done" in " ".join(out.split())  # a long path wraps
    assert "b.json" in err


def test_a_folder_has_the_answers_of_a_class(type_in, tmp_path) -> None:
    """As a learning platform hands them out; the lesson may lie beside them."""
    folder = tmp_path / "class"
    folder.mkdir()
    for name in ("a.json", "answer (2).json", "b.nodeflow"):
        type_in("1.2\n", LESSON, "-o", folder / name, "--json")
    own = folder / "lesson.json"
    own.write_bytes(LESSON.read_bytes())
    (folder / "list.txt").write_text("a\nb\n", encoding="utf-8")
    code, out, _ = type_in("", "check", own, folder, "--json")
    marks = json.loads(out)["answers"]
    assert (code, [Path(each["file"]).name for each in marks]) == (
        0, ["a.json", "answer (2).json", "b.nodeflow"],
    )  # fmt: skip
    assert [each["done"] for each in marks] == [1, 1, 1]
    (folder / "gone.json").symlink_to(tmp_path / "nowhere.json")
    code, out, _ = type_in("", "check", own, folder, "--json")
    marks = json.loads(out)["answers"]
    assert code == 1
    assert [each["error"] is None for each in marks] == [True, True, True, False]
    empty = tmp_path / "empty"
    empty.mkdir()
    code, _, err = type_in("", "check", own, empty)
    assert code == 1
    assert "this folder has no answer" in err


def test_a_class_is_a_table_and_a_file_of_marks(type_in, tmp_path) -> None:
    """A learning platform packs a folder a student, whose files have the same name."""
    for name, typed in (("ada", "1.2\ngo 0:0:cost.error\n1.4\n"), ("grace", "1.2\n")):
        (tmp_path / "in" / name).mkdir(parents=True)
        type_in(typed, LESSON, "-o", tmp_path / "in" / name / "answer.json", "--json")
    (tmp_path / "in" / "bad.json").write_text("{", encoding="utf-8")
    (tmp_path / "in" / "photo.jpg").write_bytes(b"")
    marks = tmp_path / "marks.csv"
    code, out, err = type_in("", "check", LESSON, tmp_path / "in", "-o", marks)
    assert code == 1
    assert "left out photo.jpg" in err
    with marks.open(encoding="utf-8", newline="") as stream:
        rows = {Path(row["file"]).parent.name: row for row in csv.DictReader(stream)}
    assert [rows["ada"][f"task {n}"] for n in range(1, 5)] == ["1", "1", "1", "0"]
    assert [rows["grace"][f"task {n}"] for n in range(1, 5)] == ["1", "0", "0", "0"]
    assert (rows["ada"]["done"], rows["ada"]["of"]) == ("3", "7")
    assert "bad.json" in rows["in"]["error"]
    counts = next(line for line in out.splitlines() if line.strip().startswith("of 2"))
    assert counts.split()[2:5] == ["2", "1", "1"]
    assert type_in("", "check", LESSON, tmp_path / "in", "-o", tmp_path / "m.xlsx")[0] == 2
    assert "answer  1" not in type_in("", "check", LESSON, tmp_path / "in" / "ada")[1]


def test_an_answer_is_not_lost_in_silence(type_in, tmp_path) -> None:
    code, out, _ = type_in(f"{TYPED}\nskip\nsave {tmp_path / 'a.json'}\nstep\n", LESSON)
    assert code == 0
    assert "no task is left" in out
    assert out.split()[-3:] == [str(tmp_path / "a.json"), "is", "written"]  # and that was the end
    assert "not saved" not in out
    (marks,) = json.loads(type_in("", "check", LESSON, tmp_path / "a.json", "--json")[1])["answers"]
    assert marks["done"] == 7
    for typed in (TYPED, "1.2\n", "1.2\nquit\n"):
        assert "the answer was not saved" in type_in(typed, LESSON)[1]
    assert "quit once more ends" in type_in("1.2\nquit\nquit\n", LESSON)[1]
    assert "saved" not in type_in("quit\n", LESSON)[1]
    # What is done after it was saved is not in the file.
    typed = f"1.2\nsave {tmp_path / 'b.json'}\ngo 0:0:cost.error\n1.4\n"
    assert "the answer was not saved" in type_in(typed, LESSON)[1]
    assert "not saved" not in type_in(f"1.2\nsave {tmp_path / 'c.json'}\nquit\n", LESSON)[1]


def test_a_file_without_a_lesson_is_refused_in_a_sentence(type_in) -> None:
    code, _, err = type_in("", LESSON.parent.parent / "xor.json")
    assert code == 1
    assert "there is no lesson in this graph" in err
