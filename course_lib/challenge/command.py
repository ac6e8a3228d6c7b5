"""`python -m course_lib challenge serve | status | reveal | export | remove`: the instructor's side."""

import argparse
import asyncio
import contextlib
import csv
import errno
import pathlib
import socket
import sys
import threading

from tornado import netutil

from course_lib import startup
from course_lib.challenge import making, serving
from course_lib.challenge.store import Store

EXPORTED = ("team", "at", "public", "private", "public_top5", "private_top5", "note")


def main(arguments: list[str]) -> int:
    """Runs the command; returns its exit status."""
    options = _parser().parse_args(arguments)
    try:
        with contextlib.nullcontext() if options.run is _serve else making.opened(options.data) as store:
            options.run(store, options)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m course_lib challenge", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(run) -> argparse.ArgumentParser:
        added = commands.add_parser(run.__name__[1:], help=run.__doc__, description=run.__doc__)
        added.add_argument("--data", required=True, type=pathlib.Path, metavar="DIR", help="the challenge's folder")
        added.set_defaults(run=run)
        return added

    serve = command(_serve)
    serve.add_argument("name", metavar="NAME", help="toy_scenes, mnist, or a folder of images with a labels.csv")
    serve.add_argument("--host", default=serving.LOOPBACK, help="0.0.0.0: reachable from the room's network")
    serve.add_argument("--port", type=int, default=8899)
    serve.add_argument("--quick", action="store_true", help="toy scenes: 2,000 training images, not 12,000")
    serve.add_argument("--test-images", type=int, metavar="N", help="half of them count for the public score")
    serve.add_argument("--human", type=float, metavar="SHARE", help="a person's accuracy as you measured it, 0 to 1")
    serve.add_argument("--daily-limit", type=int, default=10, metavar="N", help="submissions a team and day (10)")
    for run in (_status, _reveal, _export):
        command(run)
    command(_remove).add_argument("team", metavar="TEAM")
    return parser


def _serve(_: None, options: argparse.Namespace) -> None:
    """Make the challenge's folder on first start (options from --quick on count only then), then answer the teams."""
    sockets = _sockets(options.host, options.port)  # first: a port that is taken costs no waiting
    rules = {name: getattr(options, name) for name in ("quick", "test_images", "human", "daily_limit")}
    with startup.quiet_start():  # rendering or reading images starts TensorFlow
        making.make(options.data, options.name, **rules)
    host = _address() if options.host in ("0.0.0.0", "::") else options.host
    print(f"The address for the class, and its leaderboard: http://{host}:{sockets[0].getsockname()[1]} (Ctrl-C stops)")
    print(making.describe(options.data)["warning"], flush=True)
    with contextlib.suppress(KeyboardInterrupt):  # a harder end does no harm either: nothing is only in memory
        asyncio.run(serving.serve(options.data, sockets, threading.Event()))


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


def _status(store: Store, options: argparse.Namespace) -> None:
    """Who takes part and how far they are, the private half included."""
    name, state = making.describe(options.data)["name"], "over, revealed" if store.revealed() else "open"
    print(f"{name}: {state}, {len(store.submissions())} submissions\n{'':8}  {'team':30}  public  private  sent")
    for line in store.leaderboard(private=True):
        scores = f"{line['public']:6.1%}  {line['private']:7.1%}  {line['submissions']:4}"
        print(f"{line['rank'] or line['kind']:>8}  {line['team']:30}  {scores}")


def _reveal(store: Store, options: argparse.Namespace) -> None:
    """End the challenge: the private half appears on the page."""
    store.reveal()
    _status(store, options)


def _export(store: Store, options: argparse.Namespace) -> None:
    """Print every submission as CSV."""
    writer = csv.DictWriter(sys.stdout, EXPORTED, lineterminator="\n")
    writer.writeheader()
    writer.writerows(store.submissions())


def _remove(store: Store, options: argparse.Namespace) -> None:
    """Take a team out with all it sent."""
    store.remove(options.team)
    print(f"{options.team} is out, and the name free again.")


def _address() -> str:
    """This machine's address in its network, as far as it can be told without sending anything."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # a documentation address; for datagrams this only looks up the way
        return probe.getsockname()[0]
    return socket.gethostname()
