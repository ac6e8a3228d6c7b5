"""`python -m course_lib challenge serve`: from its options to a server that answers the class."""

import argparse
import asyncio
import contextlib
import datetime
import errno
import pathlib
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator

from tornado import netutil

from course_lib import startup
from course_lib.challenge import connections, copies, making, material, papers, serving, teams
from course_lib.challenge.store import Store

CODES = 40  # teams that may enter, unless told otherwise
SERVED = "private/served.lock"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `serve` to its parser."""
    parser.add_argument("name", metavar="NAME", help="toy_scenes, mnist, or a folder of images with a labels.csv")
    parser.add_argument("--host", default=serving.LOOPBACK, help="0.0.0.0: reachable from the room's network")
    parser.add_argument("--port", type=int, default=8899)
    parser.add_argument("--quick", action="store_true", help="toy scenes: 2,000 training images, not 12,000")
    parser.add_argument("--test-images", type=int, metavar="N", help="half of them count for the public score")
    parser.add_argument("--human", type=float, metavar="SHARE", help="a person's accuracy as you measured it, 0 to 1")
    parser.add_argument("--daily-limit", type=int, metavar="N", help="submissions per team and day (10)")
    parser.add_argument("--total-limit", type=int, metavar="N", help="submissions per team in all (30, or fewer)")
    entry = parser.add_mutually_exclusive_group()
    entry.add_argument("--codes", type=int, metavar="N", help=f"codes for N teams, on a sheet to cut up ({CODES})")
    entry.add_argument("--roster", type=pathlib.Path, metavar="FILE", help="a CSV with a column team: a code for each")
    entry.add_argument("--open", action="store_true", help="no codes: anybody enters, for a demonstration")
    parser.add_argument("--pseudonyms", action="store_true", help="the board shows no team's name")


def serve(options: argparse.Namespace) -> None:
    """Make the challenge's folder on first start (options from --quick on count only then), then answer the teams."""
    sockets = _sockets(options.host, options.port)  # first: a port that is taken costs no waiting
    present = (options.data / making.ABOUT).is_file()
    with startup.quiet_start():  # rendering or reading images starts TensorFlow
        making.make(options.data, options.name, **({} if present else _rules(options)))
    copies.check(options.data)
    with _alone(options.data):
        _serve(options, sockets, present)


def _serve(options: argparse.Namespace, sockets: list[socket.socket], present: bool) -> None:
    """Tells the instructor what is to be known, then answers the teams; `present`: the folder was there before."""
    loopback = options.host in (serving.LOOPBACK, "localhost", "::1")
    host = _address() if options.host in ("0.0.0.0", "::") else options.host
    address = f"http://{f'[{host}]' if ':' in host else host}:{sockets[0].getsockname()[1]}"
    print(f"The address for the class, and its leaderboard: {address} (Ctrl-C stops)")
    about = making.describe(options.data)
    if loopback:
        print("Only this machine reaches this address. For a class start again with --host 0.0.0.0.")
    for sentence in _remarks(options, about, present):
        print(sentence)
    if about["entry"] == teams.CODES:
        with making.opened(options.data) as store:
            _write_sheet(store, options.data, address)
    sys.stdout.flush()
    connections.raise_descriptor_limit()
    with contextlib.suppress(KeyboardInterrupt):  # a harder end does no harm either: nothing is only in memory
        asyncio.run(serving.serve(options.data, sockets, threading.Event(), "" if loopback else address))


def _rules(options: argparse.Namespace) -> dict[str, object]:
    """What `making.make` is to be told."""
    rules = {name: getattr(options, name) for name in ("quick", "test_images", "human", "total_limit", "pseudonyms")}
    if options.daily_limit is not None:
        rules["daily_limit"] = options.daily_limit
    if options.roster:
        rules["roster"] = papers.roster(options.roster)
    elif not options.open:
        rules["codes"] = CODES if options.codes is None else options.codes
    return rules


def _remarks(options: argparse.Namespace, about: dict, present: bool) -> list[str]:
    """What the instructor should know before the class comes."""
    remarks = [about["warning"]]
    with making.opened(options.data) as store:
        newest = store.newest()
        human = next((line["public"] for line in store.standings() if line["kind"] == "human"), None)
        renamed = ", ".join(f"{old!r} is {new!r}" for old, new in store.renamed())
    if renamed:
        remarks.append(
            f"Some names of an older version are others now: {renamed}. Tell these teams; `reset` gives one a code."
        )
    if present:
        remarks += _too_late(options, about | {"human": human})
    if about["entry"] == teams.OPEN:
        remarks.append(
            "Entry is open: one person can enter as many teams. For grades make a new folder without --open."
        )
    most = making.most_submissions(about["public_images"], len(about["class_names"]))
    if about["total_limit"] is None or about["total_limit"] > most:
        remarks.append(
            f"More than {most} submissions can tell a team most of the public labels, though no private one."
        )
    remarks.append("The connection is not encrypted: who listens in this network can read tokens and predictions.")
    if newest > time.time() + 60:
        when = f"{datetime.datetime.fromtimestamp(newest):%Y-%m-%d %H:%M}"
        remarks.append(
            f"The newest submission is dated {when}, later than this machine's clock. Daily limits need the right time."
        )
    return [remark for remark in remarks if remark]


def _too_late(options: argparse.Namespace, fixed: dict) -> list[str]:
    """Which options ask for what is fixed otherwise since the challenge was made."""
    wanted = {"daily_limit": options.daily_limit, "total_limit": options.total_limit}
    usual = material.QUICK[1] if options.quick and fixed["name"] == "toy_scenes" else None
    wanted["test_images"] = options.test_images or usual
    wanted["human"] = options.human
    wanted["pseudonyms"] = options.pseudonyms or None
    wanted["entry"] = teams.OPEN if options.open else teams.CODES if options.codes or options.roster else None
    other = [name for name, value in wanted.items() if value not in (None, fixed[name])]
    remarks = [f"{name} stays {fixed[name]!r}: it was fixed when the challenge was made." for name in other]
    if options.codes or options.roster:
        remarks.append("The codes stay as they are: `codes --more N` makes more.")
    return remarks


def _sockets(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen on the port. Raises ValueError where there can be none."""
    if not 0 <= port < 2**16:
        raise ValueError(f"--port must be a whole number from 0 to {2**16 - 1}, not {port}.")
    try:
        return netutil.bind_sockets(port, host)
    except (OSError, UnicodeError) as error:
        code = getattr(error, "errno", None)
    if code in (errno.EADDRINUSE, errno.EACCES):
        why = "is in use by another program" if code == errno.EADDRINUSE else "needs an administrator's rights"
        raise ValueError(f"The port {port} {why}. Name another one with --port.")
    raise ValueError(f"--host {host} is no address of this machine. {serving.LOOPBACK} and 0.0.0.0 are.")


def _write_sheet(store: Store, folder: pathlib.Path, address: str) -> None:
    codes = store.teams.codes()
    try:
        papers.write_address(folder, address)
        papers.write_sheet(folder, codes, making.describe(folder)["name"])
        print(f"Print {folder / papers.SHEET} and cut it up: {len(codes)} codes, one per team.")
    except OSError as error:
        print(papers.not_written(folder, error), file=sys.stderr)


@contextlib.contextmanager
def _alone(folder: pathlib.Path) -> Iterator[None]:
    """Raises ValueError where another `serve` has this folder; SQLite's lock ends with the process that holds it."""
    with contextlib.ExitStack() as stack:
        try:
            lock = sqlite3.connect(folder / SERVED, timeout=0, isolation_level=None)
            stack.enter_context(contextlib.closing(lock)).execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:  # another one: a disk that knows no locks
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                raise ValueError(f"{folder} is served already, by another program. Stop that one first.") from None
        yield


def _address() -> str:
    """This machine's address in its network, as far as it can be told without sending anything."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # a documentation address; for datagrams this only looks up the way
        return probe.getsockname()[0]
    return socket.gethostname()
