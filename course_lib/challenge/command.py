"""`python -m course_lib challenge serve | status | reveal | export | remove`: the instructor's side."""

import argparse
import contextlib
import csv
import pathlib
import socket
import sys
import time

from course_lib.challenge import making, serving

PORT = 8899


def main(arguments: list[str]) -> int:
    """Runs the command; returns its exit status."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m course_lib challenge", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(run, purpose: str) -> argparse.ArgumentParser:
        added = commands.add_parser(run.__name__.strip("_"), help=purpose, description=purpose)
        added.add_argument("--data", required=True, type=pathlib.Path, metavar="DIR", help="the challenge's folder")
        added.set_defaults(run=run)
        return added

    serve = command(_serve, "make the challenge's folder on first start, then answer the teams")
    serve.add_argument("name", metavar="NAME", help="toy_scenes, mnist, or a folder of images with a labels.csv")
    serve.add_argument("--host", default=serving.LOOPBACK, help="0.0.0.0: reachable from the room's network")
    serve.add_argument("--port", type=int, default=PORT)
    serve.add_argument("--human", type=float, metavar="SHARE", help="a person's accuracy, as you measured it: 0 to 1")
    first = serve.add_argument_group("on first start")
    first.add_argument("--quick", action="store_true", help="toy scenes: 2,000 training images, not 12,000")
    first.add_argument("--test-images", type=int, metavar="N", help="half of them count for the public score")
    first.add_argument("--daily-limit", type=int, default=10, metavar="N", help="submissions a team and day (10)")
    command(_status, "who takes part and how far they are, the private half included")
    command(_reveal, "end the challenge: the private half appears on the page")
    command(_export, "every submission as CSV").add_argument("--out", type=pathlib.Path, help="a file, not the screen")
    command(_remove, "take a team out with all it sent").add_argument("team", metavar="TEAM")
    return parser


def _serve(options: argparse.Namespace) -> int:
    first = ("quick", "test_images", "daily_limit")
    making.make(options.data, options.name, **{name: getattr(options, name) for name in first})
    with _opened(options.data) as store:
        if options.human is not None:
            if not 0 <= options.human <= 1:
                raise ValueError(f"--human must be a share from 0 to 1, not {options.human}")
            store.enter("human", "human", {"public": options.human, "private": options.human})
        address = _address() if options.host in ("0.0.0.0", "::") else options.host
        print(f"Leaderboard and address for the class: http://{address}:{options.port}")
        print(f'A team joins with: challenge.connect("http://{address}:{options.port}").register("its name")')
        if warning := making.describe(options.data)["warning"]:
            print(warning)
        print("Ctrl-C stops; the same command goes on.", flush=True)
        serving.run(options.data, store, options.host, options.port)
    return 0


def _status(options: argparse.Namespace) -> int:
    about = making.describe(options.data)
    with _opened(options.data) as store:
        lines, sent = store.leaderboard(private=True), store.submissions()
        state = "over, private half revealed" if store.revealed() else "open"
    teams = sum(line["kind"] == "team" for line in lines)
    count = sum(line["kind"] == "team" for line in sent)
    print(f"{about['name']}: {state}; teams with a submission: {teams}; submissions: {count}")
    print(f"{'rank':>4}  {'team':30}  {'public':>6}  {'private':>7}  {'sent':>4}")
    for line in lines:
        rank = line["rank"] or line["kind"]
        print(f"{rank:>8}  {line['team']:30}  {line['public']:6.2f}  {line['private']:7.3f}  {line['submissions']:4}")
    return 0


def _reveal(options: argparse.Namespace) -> int:
    with _opened(options.data) as store:
        store.reveal()
    return _status(options)


def _export(options: argparse.Namespace) -> int:
    with _opened(options.data) as store:
        rows = store.submissions()
    with contextlib.ExitStack() as stack:
        out = sys.stdout
        if options.out:
            out = stack.enter_context(options.out.open("w", encoding="utf-8", newline=""))
        fields = ("team", "kind", "at", "public", "private", "public_top5", "private_top5", "note")
        writer = csv.DictWriter(out, fields, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            note = f"'{row['note']}" if row["note"][:1] in ("=", "+", "-", "@") else row["note"]  # no formula
            writer.writerow(row | {"at": time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(row["at"])), "note": note})
    return 0


def _remove(options: argparse.Namespace) -> int:
    with _opened(options.data) as store:
        store.remove(options.team)
    print(f"{options.team} is out, and the name free again.")
    return 0


def _opened(folder: pathlib.Path):
    return contextlib.closing(making.open_store(folder))


def _address() -> str:
    """This machine's address in its network, as far as it can be told without sending anything."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # a documentation address; for datagrams this only looks up the way
        return probe.getsockname()[0]
    return socket.gethostname()
