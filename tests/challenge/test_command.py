"""The instructor's commands, as they are typed."""

import csv
import io
import socket

import numpy as np
import pytest
from arena import teams

from course_lib.__main__ import main


@pytest.fixture
def played(local, tmp_path):
    """Two teams have sent three submissions."""
    server = local(human=0.93)
    first, second = teams(server.url, 2, tmp_path / "tokens")
    first.submit(np.zeros(200, int), "zeros")
    first.submit(np.ones(200, int))
    second.submit(np.arange(200) % 10)
    return server


def run(capsys, command: str, server, *more: str) -> str:
    assert main(["challenge", command, "--data", str(server.folder), *more]) == 0
    return capsys.readouterr().out


def test_status_shows_both_halves_to_the_instructor(played, capsys):
    text = run(capsys, "status", played)
    assert text.startswith("random: open, 3 submissions")
    rows = {row[10:40].strip(): row[40:].split() for row in text.splitlines()[2:]}
    assert rows["Human (measured)"] == ["93.0%", "93.0%", "1"]
    assert rows["team 0"] == ["10.0%", "10.0%", "2"]
    assert set(rows) == {"Human (measured)", "team 0", "team 1", "Constant (one class)", "Nearest mean (of pixels)"}


def test_reveal_is_seen_by_the_running_server(played, capsys):
    client = played.connect()
    assert client.leaderboard()["private"].isna().all()
    assert run(capsys, "reveal", played).startswith("random: over, revealed, 3 submissions")
    assert client.leaderboard()["private"].notna().all()


def test_export_is_a_csv_of_every_submission(played, capsys):
    rows = list(csv.DictReader(io.StringIO(run(capsys, "export", played))))
    assert [(row["team"], row["note"]) for row in rows] == [("team 0", "zeros"), ("team 0", ""), ("team 1", "")]
    assert all(0 <= float(row["private"]) <= 1 and row["public_top5"] == "" and row["at"][:2] == "20" for row in rows)


def test_remove_takes_a_team_out(played, capsys):
    assert "team 0 is out" in run(capsys, "remove", played, "team 0")
    assert run(capsys, "status", played).startswith("random: open, 1 submissions")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["status", "--data", "nowhere"], "nowhere holds no challenge"),
        (["remove", "--data", "{folder}", "Team Z"], "no team 'Team Z'"),
        (["serve", "mnist", "--data", "{folder}", "--port", "0"], "holds the challenge 'random'"),
        (
            ["serve", "random", "--data", "{folder}", "--port", "{taken}"],
            "in use by another program. Name another one with --port",
        ),
        (["serve", "random", "--data", "{folder}", "--port", "-5"], "--port must be a whole number from 0 to 65535"),
        (["serve", "random", "--data", "{folder}", "--port", "99999"], "--port must be a whole number from 0 to 65535"),
        (["serve", "random", "--data", "{folder}", "--host", "nonsense.invalid"], "is no address of this machine"),
        (["serve", "random", "--data", __file__, "--port", "0"], "test_command.py is a file"),
        (["serve", "random", "--data", __file__ + "/below", "--port", "0"], "test_command.py is a file"),
    ],
)
def test_mistakes_end_with_a_sentence(make, capfd, arguments, sentence):
    folder = make()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        filled = [each.format(folder=folder, taken=taken.getsockname()[1]) for each in arguments]
        assert main(["challenge", *filled]) == 1
    error = capfd.readouterr().err
    assert sentence in error and "Traceback" not in error


def test_the_address_for_the_class_is_printed(make, monkeypatch, capsys):
    from course_lib.challenge import command

    async def at_once(*_) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command.serving, "serve", at_once)
    monkeypatch.setattr(command, "_address", lambda: "192.168.0.10")
    folder = make()
    assert main(["challenge", "serve", "random", "--data", str(folder), "--host", "0.0.0.0", "--port", "0"]) == 0
    assert "http://192.168.0.10:" in capsys.readouterr().out
    assert main(["challenge", "serve", "random", "--data", str(folder), "--port", "0"]) == 0
    assert "http://127.0.0.1:" in capsys.readouterr().out
