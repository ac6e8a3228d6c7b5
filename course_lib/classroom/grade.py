"""Marks a folder of hand-ins again: `python -m course_lib grade FOLDER` writes points.csv and missed.html there.

Files that are damaged, and functions that do what no answer should, are named. What a student's file says about points
is not read; functions run in processes of their own (see `sandbox`).
"""

import argparse
import concurrent.futures
import csv
import functools
import io
import os
import pathlib
import sys
import tempfile

from course_lib.classroom import hand_ins, missed, sandbox
from course_lib.exercises import lessons
from course_lib.exercises.question import Question

POINTS = "points.csv"
PAGE = "missed.html"


def main(arguments: list[str]) -> int:
    """Marks the hand-ins of a folder; returns 1 where there are none."""
    parser = argparse.ArgumentParser(
        prog="python -m course_lib grade",
        description="Marks all files that students made with exercises.hand_in(name), again and with the same judges. "
        f"Writes {POINTS} and {PAGE}, which says what was missed most, into the folder.",
    )
    parser.add_argument("folder", type=pathlib.Path, help="the folder with the files of all students")
    parser.add_argument("--seconds", type=int, default=30, help="what a student's function may take (30)")
    options = parser.parse_args(arguments)
    if not options.folder.is_dir():
        parser.error(f"{options.folder} is no folder")
    if options.seconds < 1:
        parser.error("--seconds must be at least 1")
    paths = sorted(options.folder.glob("*.json"))
    if not paths:
        print(f"{options.folder} holds no .json file: put there what students made with exercises.hand_in(name)")
        return 1
    if sys.platform == "win32":
        print("On Windows a student's function is limited in time, not in memory: mark on Linux where that matters.")
    students, problems = grade(paths, sandbox.Limits(seconds=options.seconds))
    _write(options.folder / POINTS, "\ufeff" + points(students, problems))  # with the mark that spreadsheets look for
    _write(options.folder / PAGE, missed.page(students, problems))
    for file, reason in problems:
        print(f"{file}: {reason}")
    print(f"{len(students)} of {len(paths)} files marked, {len(problems)} problems named: {POINTS}, {PAGE}")
    return 0


def grade(paths: list[pathlib.Path], limits: sandbox.Limits) -> tuple[list[hand_ins.Marked], list[tuple[str, str]]]:
    """Returns the marked students, and for each file with a problem its name and the reason."""

    @functools.cache  # what several students handed in alike is judged once
    def judge(question: Question, source: str, name: str) -> sandbox.Judged:
        return sandbox.judge(question, source, name, limits)

    read = []
    problems = []
    for path in paths:
        try:
            read.append(hand_ins.read(path))
        except (ValueError, OSError) as error:
            problems.append((path.name, f"not marked: {error}"))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        students = list(pool.map(lambda hand_in: hand_ins.marked(hand_in, judge), read))
    for student in students:
        problems += [(student.hand_in.file, incident) for incident in student.incidents]
    problems += _same_names(read)
    return students, sorted(problems)


def _same_names(read: list[hand_ins.HandIn]) -> list[tuple[str, str]]:
    first: dict[str, str] = {}
    found = []
    for hand_in in read:
        earlier = first.setdefault(hand_in.name.casefold(), hand_in.file)
        if earlier != hand_in.file:
            found.append((hand_in.file, f"names the same student as {earlier}"))
    return found


def points(students: list[hand_ins.Marked], problems: list[tuple[str, str]]) -> str:
    """Returns a table as CSV, a line per file: points in all and per lesson, tries, solutions read first, problems."""
    used = [lesson for lesson in lessons.ALL if any(lesson.name in student.hand_in.entries for student in students)]
    of = sum(question.points for lesson in used for question in lesson.questions().values())
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    header = ["file", "name", "points", "of", *(lesson.name for lesson in used)]
    writer.writerow([*header, "tries", "solution_read_first", "date", "problems"])
    for student in students:
        hand_in = student.hand_in
        each = [f"{student.points(lesson.name):g}" for lesson in used]
        tries = sum(mark.entry.tries for mark in student.marks)
        read_first = sum(mark.entry.solution for mark in student.marks)
        reasons = "; ".join(reason for name, reason in problems if name == hand_in.file)
        row = [hand_in.file, hand_in.name, f"{student.points():g}", f"{of:g}", *each]
        writer.writerow([_cell(value) for value in [*row, tries, read_first, hand_in.date, reasons]])
    marked = {student.hand_in.file for student in students}
    for name, reason in problems:
        if name not in marked:
            writer.writerow([_cell(name), "", "", f"{of:g}", *("" for _ in used), "", "", "", _cell(reason)])
    return table.getvalue()


def _write(path: pathlib.Path, text: str) -> None:
    """Writes a whole file; a link of that name, which somebody may have handed in, is replaced and not followed."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8", newline="") as file:
        file.write(text)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)


def _cell(value: object) -> str:
    """As text that no spreadsheet takes for a formula."""
    text = " ".join(str(value).split())
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text
