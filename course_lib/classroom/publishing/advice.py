"""What stands below a lesson's table in the plan: what was cut, what is homework, what gives points."""

import re

from course_lib.classroom.publishing import class_time, counted, reading
from course_lib.exercises.question import Question


def below_table(lesson: reading.Lesson, planned: list[counted.Part], in_class: list[class_time.Slot]) -> list[str]:
    """What was cut and what else may be, what to start early, what to set as homework, what points there are."""
    cuts = [cut for slot in in_class for cut in slot.cuts]
    late = class_time.late(in_class, kept=class_time.KEPT.get(lesson.number, ""))
    early = "; ".join(_early(planned))
    deeper = "; ".join(f"*{part.section.name}* ({_further(part)})" for part in counted.deeper(lesson))
    set_home = ", ".join(_set_home(planned, in_class)) or "nothing is left over"
    homework = f"{set_home}; then one deeper section of choice: {deeper}"
    core = sum(question.points for part in planned for question in part.section.questions)
    further = sum(question.points for section in lesson.deeper for question in section.questions)
    lines = [
        f"- **Cut so that it fits, in this order:** {_saved(_ranked(cuts)) or 'nothing'}.",
        f"- **Ten minutes late, leave out besides:** {_saved(late) or 'nothing can go'}.",
        f"- **Start these cells before you ask their guesses:** {early}." if early else "",
        f"- **Homework:** {homework}.",
        f"- **Points:** {_points(core)} in the core, {_points(further)} in the deeper sections.",
    ]
    return [line for line in lines if line]


def _early(planned: list[counted.Part]) -> list[str]:
    """The sections whose cells run long, those among them that do so once their code is written."""
    found = [
        f"*{part.section.name}* ({60 * part.running:.0f} s)"
        for part in planned
        if 60 * part.running >= counted.LONG_RUN
    ]
    for part in planned:
        found += [
            f"*{part.section.name}*, once {question.name} is written ({question.runs_for})"
            for question in part.section.questions
            if question.runs_for
        ]
    return found


def _set_home(planned: list[counted.Part], in_class: list[class_time.Slot]) -> list[str]:
    """The questions of the core that are homework, with their minutes and points."""
    before = []
    left = []
    for slot in in_class:
        questions = slot.part.section.questions
        if slot.part.name == counted.BEFORE and any("before class" in said for said, _ in slot.cuts):
            points = _points(sum(question.points for question in questions))
            before = [f"{counted.names(questions)} before class ({_minutes(counted.minutes_for(questions))}, {points})"]
        left += [question for question in questions if is_cut(question, slot)]
    left += [question for part in planned if part.name == counted.AT_HOME for question in part.section.questions]
    return before + [f"{each.name} ({_minutes(counted.minutes_for([each]))}, {_worth(each)})" for each in left]


def _ranked(cuts: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """Cuts in the order in which one would make them: what is done before class, writing, all else."""
    return sorted(cuts, key=lambda cut: (not re.match(r"w\d", cut[0]), "writing" not in cut[0]))


def _saved(cuts: list[tuple[str, float]]) -> str:
    return "; ".join(f"{said} (saves {rounded(minutes)})" for said, minutes in cuts)


def rounded(minutes: float) -> int:
    """Whole minutes, at least one."""
    return max(1, round(minutes))


def is_cut(question: Question, slot: class_time.Slot) -> bool:
    """Whether a question of the core is left to do at home."""
    return any(
        re.search(rf"\b{question.name}\b.*(?:homework|at home)", said) and question.name[0] != "w"
        for said, _ in slot.cuts
    )


def _worth(question: Question) -> str:
    return "a guess" if question.kind == "guess" else _points(question.points)


def _further(part: counted.Part) -> str:
    """What a deeper section asks, the minutes that it names, else those counted, and what it gives."""
    questions = part.section.questions
    asked = ", ".join(
        f"{each.name} (a guess)" if each.kind == "guess" and each.name[0] != "p" else each.name for each in questions
    )
    minutes = counted.stated(part.section) or rounded(part.minutes)
    points = sum(question.points for question in questions)
    return (f"{asked}; " if asked else "") + _minutes(minutes) + (f", {_points(points)}" if points else "")


def _minutes(minutes: int) -> str:
    return f"{minutes} {'minute' if minutes == 1 else 'minutes'}"


def _points(points: float) -> str:
    return f"{points:g} {'point' if points == 1 else 'points'}"
