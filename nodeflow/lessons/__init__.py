"""Lessons: tasks that lead through a graph, and the marking of what comes back.

A lesson is data in a graph's file, under the key "lesson". Each task is done when

- `until`: a condition becomes true;
- `at`: somebody stands at a moment;
- `wire`: a wire touches a port that the lesson's own graph does not have (or, written
  "a.port -> b.port", when this wire is there);
- `ask`: a question is answered with the value of an expression. It is read where the lesson
  has led by then; what is not evaluated there yet is read as soon as it is: so it can be
  predicted.

`Attempt` is somebody's way through it, which the terminal leads; `Marker` judges the files that
come back. A marker trusts no number in a file. It puts locked parts back, runs the graph from its
start, and evaluates every expression anew.
"""

from nodeflow.lessons.attempt import Attempt, Progress, with_answers
from nodeflow.lessons.goals import expected
from nodeflow.lessons.lesson import Done, Lesson, Task, lesson_of, require_lesson
from nodeflow.lessons.locks import change_of_locked
from nodeflow.lessons.marking import Marker, Marks
from nodeflow.lessons.settings import settings_changed

__all__ = [
    "Attempt", "Done", "Lesson", "Marker", "Marks", "Progress", "Task", "change_of_locked",
    "expected", "lesson_of", "require_lesson", "settings_changed", "with_answers",
]  # fmt: skip
