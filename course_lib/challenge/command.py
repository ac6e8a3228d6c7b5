"""`python -m course_lib challenge COMMAND`: the instructor's side, from `serve` to `reveal`."""

import argparse
import contextlib
import datetime
import errno
import os
import pathlib
import sys
import time

from course_lib import common
from course_lib.challenge import copies, making, papers, starting, withdrawing
from course_lib.challenge.store import Store

PATIENCE = 10.0  # seconds to wait while the server writes


def main(arguments: list[str]) -> int:
    """Runs the command; returns its exit status."""
    for stream in (sys.stdout, sys.stderr):  # names in any script, on a console that may not know them
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    options = _parser().parse_args(arguments)
    try:
        if options.run in (starting.serve, _backup):
            options.run(options)
        else:
            with making.opened(options.data, PATIENCE, reading=options.run in (_status, _export)) as store:
                options.run(store, options)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ValueError, OSError) as error:
        print(getattr(error, "told", "") or _sentence(error), file=sys.stderr)
        return 1
    return 0


def _sentence(error: Exception) -> str:
    """What went wrong; what the system alone says of a file is made a sentence."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "The disk is full, or takes no file so long. Free some space and try again."
    if not isinstance(error, OSError) or not error.filename:
        return str(error)
    if isinstance(error, FileNotFoundError):
        return f"{error.filename} cannot be found or made. Name a file in a folder that is there."
    if isinstance(error, PermissionError):
        return f"{error.filename} may not be opened. Give yourself the right to read and to write it."
    return f"{error.filename} cannot be opened ({error.strerror})."


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m course_lib challenge", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(run) -> argparse.ArgumentParser:
        added = commands.add_parser(run.__name__.lstrip("_"), help=run.__doc__, description=run.__doc__)
        added.add_argument("--data", required=True, type=pathlib.Path, metavar="DIR", help="the challenge's folder")
        added.set_defaults(run=run)
        return added

    starting.add_options(command(starting.serve))
    command(_status)
    _add_yes(command(_reveal))
    command(_export).add_argument("--output", type=pathlib.Path, metavar="FILE", help="write there, not to the screen")
    remove = command(_remove)
    remove.add_argument("team", metavar="TEAM", nargs="+", help="its name or its pseudonym")
    _add_yes(remove)
    reset = command(_reset)
    reset.add_argument("team", metavar="TEAM", help="its name or its pseudonym")
    since = "withdraw what was sent in its name since this time, 14:30 (today) or 2026-03-05 14:30"
    reset.add_argument("--since", metavar="TIME", help=since)
    _add_yes(reset)
    codes = command(_codes)
    codes.add_argument("--more", type=int, default=0, metavar="N", help="make N more codes")
    codes.add_argument("--withdraw", nargs="+", default=[], metavar="CODE", help="end codes that no team has used")
    command(_backup).add_argument("--output", required=True, type=pathlib.Path, metavar="DIR", help="a new folder")
    return parser


def _add_yes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="do not ask whether this is meant")


def _status(store: Store, options: argparse.Namespace) -> None:
    """Show who takes part and how far they are, the private half included."""
    name = making.describe(options.data)["name"]
    state = "over, revealed" if store.revealed() else "open"
    counted = [row for row in store.submissions() if not row["withdrawn"]]
    print(f"{name}: {state}, {len(counted)} submissions")
    print(f"{'':8}  {'team':30}  public  private  sent  computers")
    entered = {row["team"]: row for row in store.teams.all()}
    for line in store.standings():
        scores = f"{line['public']:6.1%}  {line['private']:7.1%}  {line['submissions']:4}"
        team = entered.pop(line["name"], None) if line["kind"] == "team" else None
        computers = f"  {team['computers']:9}" if team else ""
        print(f"{line['rank'] or line['kind']:>8}  {line['name']:30}  {scores}{computers}{_alias(line)}")
    for row in entered.values():
        print(f"{'–':>8}  {row['team']:30}  {'–':>6}  {'–':>7}  {0:4}  {row['computers']:9}{_alias(row)}")
    codes = store.teams.codes()
    if codes:
        print(f"{sum(not code['used'] for code in codes)} of {len(codes)} codes are not used yet.")


def _alias(row: dict) -> str:
    return f"  ({row['pseudonym']})" if row["pseudonym"] else ""


def _reveal(store: Store, options: argparse.Namespace) -> None:
    """End the challenge for good: the private half appears on the page, and no submission is taken any more."""
    _confirm(options, "This ends the challenge for good and shows the private scores to everybody.")
    store.reveal()
    _status(store, options)


def _export(store: Store, options: argparse.Namespace) -> None:
    """Write every submission as CSV in UTF-8: same_as names other teams that sent the same, withdrawn when it was."""
    text = papers.table(store.submissions())
    if options.output:
        copies.check_outside(options.data, options.output, "file")
        options.output.write_text(text, encoding="utf-8-sig", newline="")  # with the mark that Excel looks for
        print(f"{options.output} holds {len(text.splitlines()) - 1} submissions.")
    else:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(encoding="utf-8")  # whatever the console's code page is
        print(text, end="")


def _remove(store: Store, options: argparse.Namespace) -> None:
    """Take teams out for good with all they sent; their codes end, and their names are free again."""
    names = store.teams.named(options.team)
    count = sum(row["team"] in names for row in store.submissions())
    _confirm(options, f"This deletes {', '.join(names)} and {count} submissions for good.")
    store.teams.remove(options.team)
    verb = "is" if len(names) == 1 else "are"
    print(f"{', '.join(names)} {verb} out. `codes --more {len(names)}` makes new codes, for teams of any name.")
    _rewrite_sheet(store, options.data)


def _reset(store: Store, options: argparse.Namespace) -> None:
    """Shut out every computer of a team; what it sent stays, but for --since, and it joins again with a new code."""
    (name,) = store.teams.named([options.team])
    since = None if options.since is None else _moment(options.since)
    if since is not None:
        count = withdrawing.sent_since(store.database, store.teams.find(name), since)
        when = f"{datetime.datetime.fromtimestamp(since):%Y-%m-%d %H:%M:%S}"
        _confirm(options, f"{count} submissions of {name} since {when} will count no more; the export keeps them.")
    code = store.teams.reset(options.team, since)
    print(f'{name} joins again by register("{name}", code="{code}").')
    _rewrite_sheet(store, options.data)


def _codes(store: Store, options: argparse.Namespace) -> None:
    """Show the codes, make more of them, or end some that no team has used."""
    common.at_least(0, **{"--more": options.more})
    store.teams.withdraw_codes(options.withdraw)
    store.teams.add_codes(options.more)
    for row in store.teams.codes():
        print(f"{row['code']}  {row['team'] or ''}".rstrip())
    _rewrite_sheet(store, options.data)


def _backup(options: argparse.Namespace) -> None:
    """Copy the challenge, while it is served or not, to a new folder that can be served in its place."""
    copies.backup(options.data, options.output)
    print(f"{options.output} holds all of {options.data}.")


def _moment(typed: str) -> float:
    """The time in seconds since 1970. Raises ValueError where this is none, or later than now."""
    for parse in (datetime.datetime.fromisoformat, _today_at):
        with contextlib.suppress(ValueError, OverflowError):
            seconds = parse(typed).timestamp()
            if seconds <= time.time():
                return seconds
    raise ValueError(
        f'--since must be a time that is over, such as "14:30" (today) or "2026-03-05 14:30", not {typed!r}.'
    )


def _today_at(typed: str) -> datetime.datetime:
    return datetime.datetime.combine(datetime.date.today(), datetime.time.fromisoformat(typed))


def _confirm(options: argparse.Namespace, what: str) -> None:
    """Asks whether this is meant. Raises ValueError where the answer is anything but yes."""
    if options.yes:
        return
    print(f"{what} Type yes to go on:", file=sys.stderr)
    if sys.stdin.readline().strip().casefold() != "yes":
        raise ValueError("Nothing was changed. Type yes when you are asked, or give --yes.")


def _rewrite_sheet(store: Store, folder: pathlib.Path) -> None:
    """Brings the sheet up to date, where there is one."""
    if (folder / papers.ADDRESS).is_file():
        try:
            papers.write_sheet(folder, store.teams.codes(), making.describe(folder)["name"])
            print(f"{folder / papers.SHEET} is up to date.", file=sys.stderr)
        except OSError as error:
            print(papers.not_written(folder, error), file=sys.stderr)
