"""What lasts, and what is said where something is missing, damaged, full, locked away or old."""

import contextlib
import ctypes
import hashlib
import json
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import time

import numpy as np
import pytest
from arena import TOKEN, ServeProcess, ask, register, truth

from course_lib import challenge, common
from course_lib.__main__ import main
from course_lib.challenge import database, making, papers, serving
from course_lib.challenge.lookalikes import keys

SECOND_EDITION = pathlib.Path(__file__).with_name("second_edition.sql").read_text(encoding="utf-8")
FIRST_EDITION = pathlib.Path(__file__).with_name("first_edition.sql").read_text(encoding="utf-8")


FEW_BYTES = 130_000  # fewer than a sheet of 900 codes has, more than their database


def csv_of(seed: int) -> bytes:
    labels = np.random.RandomState(seed).randint(10, size=200)
    return "\n".join(["id,label", *(f"{index},{label}" for index, label in enumerate(labels))]).encode()


def submit(server, seed: int, team: str = "A", **options) -> tuple[int, dict]:
    status, _, content = ask(server, "POST", f"/api/submissions?team={team}", csv_of(seed), **options)
    return status, json.loads(content)


def told(capsys, command: str, *arguments: str) -> str:
    """What the instructor is told by a command that fails."""
    assert main(["challenge", command, *arguments]) == 1
    error = capsys.readouterr().err
    assert "Traceback" not in error and error.endswith(".\n"), error
    return error


def path_of(folder: pathlib.Path) -> pathlib.Path:
    return folder / "private" / making.DATABASE


def as_first_edition(folder: pathlib.Path, *more: str) -> None:
    """Makes an old folder of it: the first edition's tables, with teams that would not be allowed any more."""
    about = making.describe(folder)
    for name in making.FIRST_EDITION:
        del about[name]
    (folder / making.ABOUT).write_text(json.dumps(about))
    path_of(folder).unlink()
    with contextlib.closing(sqlite3.connect(path_of(folder))) as old, old:
        old.executescript(FIRST_EDITION)
        teams = [("Constant (one class)", "baseline"), ("our name", "team"), ("our  name", "team"), ("A", "team")]
        teams += [(name, "team") for name in more]
        for number, (name, kind) in enumerate(teams, 1):
            token = hashlib.sha256(f"{number}".zfill(43).encode()).digest() if kind == "team" else None
            old.execute("INSERT INTO teams VALUES (?, ?, ?, ?)", (number, name, kind, token))
        scores = ((1, b"", 0.1), (2, b"a", 0.3), (2, b"b", 0.5), (3, b"a", 0.5), (4, b"c", 0.2))
        for at, (team, digest, public) in enumerate(scores, 1_700_000_000):
            row = (team, at, digest, "note", public, public / 2)
            old.execute("INSERT INTO submissions (team, at, digest, note, public, private) VALUES (?,?,?,?,?,?)", row)


def test_a_folder_of_the_first_edition_is_served(make, serve, capsys):
    folder = make()
    as_first_edition(folder, "🚀 rockets", "Аlice", "rockets!")  # names that are not allowed any more
    server = serve(folder)
    assert register(server, "our name", token="2".zfill(43))[0] == 200  # its token still holds
    assert register(server, "rockets", token="5".zfill(43))[0] == 200
    status, answer = submit(server, 0, token="4".zfill(43))
    assert status == 200 and answer["left_today"] == 9 and answer["left_in_all"] is None
    assert main(["challenge", "export", "--data", str(folder)]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) == 6 and rows[1].startswith('"our name"') and rows[3].startswith('"our name 2"')
    assert '"our name 2"' in rows[1] and '"our name"' in rows[3]  # each sent what the other did
    with making.opened(folder) as store:
        lines = {line["name"]: line for line in store.standings()}
        names = [row["team"] for row in store.teams.all()]
    assert lines["our name"]["public"] == 0.5 and lines["our name"]["submissions"] == 2
    assert names == ["our name", "our name 2", "A", "rockets", "Team 6", "rockets 2"]
    old = folder / "private" / "challenge-before-version-3.sqlite"
    with contextlib.closing(sqlite3.connect(old)) as kept:
        assert kept.execute("SELECT count(*) FROM submissions").fetchone() == (5,)


def test_a_migration_that_is_cut_short_is_done_again(make, monkeypatch):
    folder = make()
    as_first_edition(folder)
    with monkeypatch.context() as cut:
        cut.setattr(database, "FROM_FIRST_EDITION", (*database.FROM_FIRST_EDITION, "no SQL at all"))
        with pytest.raises(sqlite3.OperationalError):
            making.opened(folder)
    with making.opened(folder) as store:
        assert len(store.submissions()) == 4


def test_a_team_of_the_first_edition_finds_its_token_again(make, serve, tmp_path):
    """Its file was named without the address; the server tells which teams have other names."""
    folder = make()
    as_first_edition(folder, "AIice", "Alice")
    id_ = making.describe(folder)["id"]
    server = serve(folder)
    for number, (typed, name) in enumerate((("AIice", "AIice"), ("Alice", "Alice 2")), 5):
        old = tmp_path / hashlib.sha256(f"{id_} {typed.lower()}".encode()).hexdigest()
        old.write_text(f"{number}".zfill(43))
        client = challenge.connect(server.url, token_dir=tmp_path).register(typed)
        assert client.team == name and client.submit(np.full(200, number)).counted
        assert not old.exists() and challenge.connect(server.url, token_dir=tmp_path).register(typed).team == name
    assert "are others now: 'our  name' is 'our name 2', 'Alice' is 'Alice 2'. Tell" in server.output.read_text()


def test_a_folder_of_the_second_edition_is_served(make, capsys):
    """There a team could be called as another one is on the board."""
    folder = make(pseudonyms=True)
    path_of(folder).unlink()
    with contextlib.closing(sqlite3.connect(path_of(folder))) as old, old:
        old.executescript(SECOND_EDITION + "PRAGMA user_version = 2;")
        for number, (name, pseudonym) in enumerate((("A", "Jade Fox"), ("Jade Fox", "Amber Owl"), ("amber owl", "x"))):
            old.execute("INSERT INTO teams VALUES (?, ?, 'team', ?, 0, NULL)", (number, name, pseudonym))
            for look in set(keys(name)):
                old.execute("INSERT INTO looks VALUES (?, ?)", (look, number))
        row = (1, 1_700_000_000, b"a", "note", 0.5, 0.25)
        old.execute("INSERT INTO submissions (team, at, digest, note, public, private) VALUES (?,?,?,?,?,?)", row)
    for name in ("Jade Fox", "amber owl"):
        assert main(["challenge", "reset", "--data", str(folder), name]) == 0
        assert capsys.readouterr().out.startswith(f"{name} joins again")
    with making.opened(folder) as store:
        assert [row["team"] for row in store.submissions()] == ["Jade Fox"]
        assert {row["pseudonym"] for row in store.teams.all()}.isdisjoint({"Jade Fox", "Amber Owl"})


def test_newer_and_foreign_databases_are_refused(make, capsys):
    folder = make()
    with contextlib.closing(sqlite3.connect(path_of(folder))) as newer:
        newer.execute("PRAGMA user_version = 4")
    assert "written by a newer version of this course" in told(capsys, "status", "--data", str(folder))
    path_of(folder).unlink()
    with contextlib.closing(sqlite3.connect(path_of(folder))) as foreign:
        foreign.execute("CREATE TABLE recipes (name)")
    assert "is no challenge's database" in told(capsys, "status", "--data", str(folder))


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("private/challenge.sqlite", pathlib.Path.unlink, "is missing or empty, and with it every team"),
        ("private/challenge.sqlite", lambda path: path.write_bytes(b""), "is missing or empty, and with it every team"),
        ("private/challenge.sqlite", lambda path: path.write_bytes(b"x" * 8192), "is damaged. Stop the server"),
        ("private/labels.npz", pathlib.Path.unlink, "labels.npz is missing or damaged"),
        (
            "private/labels.npz",
            lambda path: path.write_bytes(path.read_bytes()[:99]),
            "labels.npz is missing or damaged",
        ),
        ("public/train.npz", lambda path: path.write_bytes(b"x"), "train.npz is missing or damaged"),
        ("public/challenge.json", pathlib.Path.unlink, "challenge.json is missing. Put it back from the newest folder"),
        ("public/challenge.json", lambda path: path.write_text("{"), "challenge.json is damaged"),
        ("public/challenge.json", lambda path: path.write_text('{"name": "random"}'), "challenge.json is damaged"),
        (
            "private/labels.npz",
            lambda path: np.savez(path, labels=np.zeros(300, int), public=np.arange(300) < 150),
            "labels.npz belongs to another challenge",
        ),
    ],
)
def test_a_folder_that_lacks_something_is_not_served(make, capsys, name, change, sentence):
    folder = make()
    for left in folder.glob("private/*-wal"):
        left.unlink()
    change(folder / name)
    arguments = ("serve", "random", "--data", str(folder), "--port", "0")
    said = told(capsys, *arguments)
    assert sentence in said and "elete" not in said  # a tired instructor would do it
    if "public/train" not in name:
        assert sentence in told(capsys, "status", "--data", str(folder))
    assert sentence in told(capsys, "backup", "--data", str(folder), "--output", f"{folder}-copy")
    assert not list(folder.parent.glob("*copy*"))
    assert not path_of(folder).exists() or path_of(folder).stat().st_size in (0, 8192) or "sqlite" not in name


def test_a_database_that_is_damaged_while_it_is_served(make, serve):
    server = serve(make())
    assert register(server, "A")[0] == 200
    with making.opened(server.folder) as store:
        store.database.settle()
    size = path_of(server.folder).stat().st_size
    with path_of(server.folder).open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    status, answer = submit(server, 0)
    assert status == 503 and answer["error"] == "The memory of the challenge is damaged. Tell the instructor."
    assert "challenge.sqlite is damaged" in server.output.read_text()
    assert "Traceback" not in server.output.read_text()


def test_a_full_disk_is_said_and_nothing_is_lost(make, serve):
    """The process may not make files longer than 256 kB: to SQLite that is a disk that takes no more."""
    resource = pytest.importorskip("resource")
    full = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (256_000, resource.RLIM_INFINITY))}
    server = serve(make(daily_limit=1000, total_limit=1000), **full)
    assert register(server, "A")[0] == 200
    answered = []
    for seed in range(200):
        status, answer = submit(server, seed)
        if status != 200:
            break
        answered.append(answer["public"])
    assert status == 507 and answer["error"].endswith("Nothing of this request was kept: tell the instructor.")
    assert ask(server, "GET", "/board")[0] == 200  # it goes on showing what there is
    assert "is full or failing" in server.output.read_text() and "Traceback" not in server.output.read_text()
    server.kill()
    server.popen = {}
    server.start()  # there is room again
    assert submit(server, 999)[0] == 200
    with making.opened(server.folder) as store:
        assert [row["public"] for row in store.submissions()][:-1] == answered and len(answered) > 10


def as_owner_only() -> None:
    """From here on root too may only do what the bits of a file allow; for others this changes nothing."""
    drop, override, read_search = 24, 1, 2  # PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    for capability in (override, read_search):
        ctypes.CDLL(None).prctl(drop, capability, 0, 0, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="takes rights from root as Linux does")
def test_a_folder_that_may_only_be_read(make):
    folder = make()
    with making.opened(folder) as store:
        store.teams.register("A", TOKEN)
        store.submit(store.teams.find("A"), np.zeros((200, 1), int))
    old = shutil.copytree(folder, folder.with_name("old"))
    as_first_edition(old)
    paths = (folder, *folder.rglob("*"), old, *old.rglob("*"))
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    with pytest.raises(AssertionError, match=r"Give yourself the right to write there\."):
        ServeProcess(folder, preexec_fn=as_owner_only)
    commands = ("status --data {0}", "export --data {0}", "backup --data {0} --output {0}2")
    done = by_owner(*(command.format(each) for each in (folder, old) for command in commands))
    assert done.stderr == "" and done.stdout.split("\n")[-1] == "[0, 0, 0, 0, 0, 0]"
    assert "random: open, 1 submissions" in done.stdout and '"A"' in done.stdout
    assert "random: open, 4 submissions" in done.stdout and '"our name 2"' in done.stdout
    assert {*old.rglob("*")} <= {*paths}  # nothing was written there
    for copied, count in ((folder, 1), (old, 4)):
        with making.opened(pathlib.Path(f"{copied}2")) as copy:
            assert len(copy.submissions()) == count
    for path in paths:
        path.chmod(0o755)


def by_owner(*commands: str, limits=as_owner_only) -> subprocess.CompletedProcess:
    """What the instructor's commands say, one after the other, where root has no more rights than an owner."""
    program = "import sys; from course_lib.__main__ import main; "
    program += "print([main(['challenge', *command.split()]) for command in sys.argv[1:]], end='')"
    return subprocess.run(
        [sys.executable, "-c", program, *commands],
        cwd=common.ROOT,
        capture_output=True,
        text=True,
        preexec_fn=limits,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="takes rights from root as Linux does")
def test_a_file_that_may_not_be_read_is_named(make, tmp_path):
    names = ("private/labels.npz", "public/challenge.json", "private")
    folder = make()
    copies = [shutil.copytree(folder, tmp_path / str(number)) for number in range(len(names))]
    for copy, name in zip(copies, names, strict=True):
        (copy / name).chmod(0)
    done = by_owner(*(f"status --data {copy}" for copy in copies))
    for copy, name in zip(copies, names, strict=True):
        (copy / name).chmod(0o755)
    assert done.stdout == "[1, 1, 1]" and "Errno" not in done.stderr
    for said, copy, name in zip(done.stderr.splitlines(), copies, names, strict=True):
        assert str(copy / name) in said and said.endswith(" may not be read. Give yourself the right to read it.")


def test_a_backup_made_while_it_is_served_can_be_served(make, serve, tmp_path, capsys):
    server = serve(make())
    assert register(server, "A")[0] == 200
    assert submit(server, 0)[0] == 200
    mine = tmp_path / "copy.unfinished"
    mine.mkdir()
    (mine / "precious.txt").write_text("mine")
    assert main(["challenge", "backup", "--data", str(server.folder), "--output", str(tmp_path / "copy")]) == 0
    assert submit(server, 1)[0] == 200
    assert "is there already" in told(
        capsys, "backup", "--data", str(server.folder), "--output", str(tmp_path / "copy")
    )
    assert (mine / "precious.txt").read_text() == "mine"
    copy = serve(tmp_path / "copy")
    assert submit(copy, 0)[1]["counted"] is False and submit(copy, 1)[1]["counted"] is True
    assert np.array_equal(truth(tmp_path / "copy"), truth(server.folder))
    assert (tmp_path / "copy" / "private").stat().st_mode & 0o077 == 0


def test_a_backup_lies_elsewhere(make, capsys):
    """Inside the folder it would put the labels beside what everybody may read."""
    folder = make()
    for place in (folder / "public" / "copy", folder / "copy", folder / "private" / ".." / "copy"):
        assert "Name a folder elsewhere" in told(capsys, "backup", "--data", str(folder), "--output", str(place))
    assert not list(folder.rglob("copy*"))
    output = str(path_of(folder))
    assert "Name a file elsewhere" in told(capsys, "export", "--data", str(folder), "--output", output)
    with making.opened(folder) as store:
        store.database.check()


def test_a_full_disk_is_said_by_the_commands_too(make, tmp_path):
    """As above no file may be longer than so many bytes: first the database's copy, then that of the images."""
    resource = pytest.importorskip("resource")
    folder = make(test_images=1000)
    with making.opened(folder) as store:
        store.teams.add_codes(1000)

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    images = (folder / "public" / "test.npz").stat().st_size
    for limit, sentence in ((images, f"The disk of {tmp_path / 'copy'}"), (images - 1, "The disk is full, or takes")):
        assert limit < path_of(folder).stat().st_size
        done = by_owner(f"backup --data {folder} --output {tmp_path / 'copy'}", limits=full)
        assert sentence in done.stderr and "Errno" not in done.stderr and done.stdout == "[1]"
        assert not list(tmp_path.glob("copy*"))


def test_a_sheet_that_finds_no_room_stays_whole(make, serve):
    """The codes are kept, and the server starts: as above no file may be longer than so many bytes."""
    resource = pytest.importorskip("resource")
    server = serve(make(codes=5))
    assert ask(server, "GET", "/")[0] == 200  # by now the sheet is written
    sheet = server.folder / papers.SHEET
    before = sheet.read_bytes()
    server.kill()
    with making.opened(server.folder) as store:
        store.teams.add_codes(700)

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (FEW_BYTES, resource.RLIM_INFINITY))

    done = by_owner(f"codes --data {server.folder} --more 200", limits=full)
    assert done.stdout.endswith("[0]") and "could not be brought up to date" in done.stderr
    server.popen = {"preexec_fn": full}
    server.start()
    assert ask(server, "GET", "/")[0] == 200
    assert (
        "codes.html could not be brought up to date (File too large). The codes are kept" in server.output.read_text()
    )
    assert sheet.read_bytes() == before and not list(sheet.parent.glob("codes.html?*"))
    server.kill()
    by_owner(f"codes --data {server.folder}")
    assert sheet.read_bytes().count(b"<li>") == 905 and len(sheet.read_bytes()) > FEW_BYTES


def test_a_challenge_that_cannot_be_made_leaves_nothing(make, monkeypatch, tmp_path):
    def full(*_, **__) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as failing:
        failing.setattr(making.np, "savez", full)
        with pytest.raises(OSError, match="No space"):
            make()
    assert not list((tmp_path / "challenge").iterdir())
    assert making.describe(make())["name"] == "random"


def test_the_database_file_alone_is_complete_soon(local, monkeypatch, tmp_path):
    """Whoever copies only the .sqlite, without its -wal file, lacks nothing that is a few seconds old."""
    monkeypatch.setattr(serving, "SETTLE", 2)
    server = local()
    server.connect().register("A").submit(np.zeros(200, int))

    def sent_in_a_copy() -> tuple | None:
        shutil.copy(path_of(server.folder), tmp_path / "copy.sqlite")
        copied = contextlib.closing(sqlite3.connect(tmp_path / "copy.sqlite"))
        with copied as copy, contextlib.suppress(sqlite3.DatabaseError):  # copied while the server was writing it
            return copy.execute("SELECT sent FROM teams WHERE name = 'A'").fetchone()

    end = time.monotonic() + 300  # a tenth of a second, and what else the machine does
    while sent_in_a_copy() != (1,):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_clock_that_stands_before_the_newest_submission_is_told(make, monkeypatch, capsys):
    async def at_once(*_) -> None:
        raise KeyboardInterrupt

    folder = make()
    with making.opened(folder) as store:
        store.teams.register("A", TOKEN)
        monkeypatch.setattr("course_lib.challenge.store.time.time", lambda: 2e9)
        store.submit(store.teams.find("A"), np.zeros((200, 1), int))
        monkeypatch.undo()
    monkeypatch.setattr(serving, "serve", at_once)
    assert main(["challenge", "serve", "random", "--data", str(folder), "--port", "0"]) == 0
    assert "The newest submission is dated 2033-05-18" in capsys.readouterr().out
