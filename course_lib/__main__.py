"""`python -m course_lib study | check | grade | publish | reproduce | challenge`: the kit outside a notebook."""

import argparse
import importlib
import sys

from course_lib.startup import quiet_start

COMMANDS = {
    "study": ("course_lib.classroom.study", "your own copy of the lessons, opened in JupyterLab"),
    "check": ("course_lib.classroom.check", "is this machine ready? --lessons runs the lessons too"),
    "grade": ("course_lib.classroom.grade", "mark what students handed in; what was missed most"),
    "publish": ("course_lib.classroom.publish", "a web site, one PDF and slides from the lessons"),
    "reproduce": ("course_lib.experiments.reproduce", "train a recorded experiment again"),
    "challenge": ("course_lib.challenge.command", "hold a challenge for a class: hidden labels, a leaderboard"),
}


def main(arguments: list[str]) -> int:
    """Runs the command that `arguments` names and returns its exit status."""
    listing = "\n".join(f"  {name:10} {purpose}" for name, (_, purpose) in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="python -m course_lib",
        description=f"commands:\n{listing}",
        epilog="COMMAND --help says more about one.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...")
    options = parser.parse_args(arguments)
    with quiet_start():  # a command may load TensorFlow
        module = importlib.import_module(COMMANDS[options.command][0])
    return module.main(options.arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
