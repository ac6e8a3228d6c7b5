"""The page that says what a class missed most, for the instructor: one HTML file that needs nothing else."""

import collections
import dataclasses
import html

from course_lib.classroom.hand_ins import Mark, Marked
from course_lib.exercises.question import Question

STYLE = """:root {color-scheme: light dark}
body {font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem}
table {border-collapse: collapse; width: 100%} th, td {text-align: left; vertical-align: top; padding: .3rem .6rem;
border-bottom: 1px solid #8886} td.number, th.number {text-align: right; white-space: nowrap} small {opacity: .8}"""
MOST_COMMON = 3  # wrong answers that are listed


@dataclasses.dataclass
class Missed:
    """One question, over all students who tried it."""

    lesson: str
    question: Question
    tried: int = 0
    right: int = 0
    read_first: int = 0  # read the solution before they had answered
    replies: collections.Counter = dataclasses.field(default_factory=collections.Counter)  # to wrong answers

    def add(self, mark: Mark) -> None:
        """Counts one student's answer."""
        self.tried += 1
        self.right += mark.right
        self.read_first += mark.entry.solution
        if not mark.right:
            self.replies[mark.reply] += 1


def questions(students: list[Marked]) -> list[Missed]:
    """Every question that somebody tried, the most missed first; guesses are not among them."""
    found: dict[tuple[str, str], Missed] = {}
    for student in students:
        for mark in student.marks:
            if mark.question.kind != "guess":
                key = (mark.lesson, mark.question.name)
                found.setdefault(key, Missed(mark.lesson, mark.question)).add(mark)
    return sorted(found.values(), key=lambda each: (each.right / each.tried, -each.tried, each.lesson))


def page(students: list[Marked], problems: list[tuple[str, str]]) -> str:
    """Returns the page. All that students wrote is escaped."""
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8"><title>What was missed most</title>',
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>',
        f"<h1>What was missed most</h1><p>{len(students)} students.</p>",
        _table(
            ["question", "right", "solution read first", "most common wrong answers"], map(_row, questions(students))
        ),
        "<h2>Problems</h2>",
        _table(["file", "problem"], [[_cell(file), _cell(reason)] for file, reason in problems])
        if problems
        else "<p>None.</p>",
        "<h2>Points</h2>",
        _table(["student", "points", "file"], map(_student, students)),
        "</body></html>",
    ]
    return "\n".join(parts)


def _row(missed: Missed) -> list[str]:
    question = missed.question
    aimed = f"<br><small>Misconception: {_escaped(question.misconception)}</small>" if question.misconception else ""
    common = [f"{count} × {_escaped(reply)}" for reply, count in missed.replies.most_common(MOST_COMMON)]
    return [
        f"<td><strong>{missed.lesson} {question.name}</strong> {_escaped(question.text)}{aimed}</td>",
        f'<td class="number">{missed.right} of {missed.tried}</td>',
        f'<td class="number">{missed.read_first}</td>',
        f"<td>{'<br>'.join(common)}</td>",
    ]


def _student(student: Marked) -> list[str]:
    hand_in = student.hand_in
    return [_cell(hand_in.name), f'<td class="number">{student.points():g}</td>', _cell(hand_in.file)]


def _table(header: list[str], rows) -> str:
    head = "".join(f'<th scope="col">{_escaped(title)}</th>' for title in header)
    body = "\n".join(f"<tr>{''.join(cells)}</tr>" for cells in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>"


def _cell(text: str) -> str:
    return f"<td>{_escaped(text)}</td>"


def _escaped(text: object) -> str:
    return html.escape(str(text))
