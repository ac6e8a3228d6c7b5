"""The line that says how training goes: in a log, in a terminal, in a notebook."""

import io
import re
import sys
import types

import pytest

from course_lib import common
from course_lib.training import Recipe, callbacks, train


def test_a_log_gets_one_line_an_epoch(tiny, split, recipe, capsys):
    train(tiny, split, recipe=recipe, epochs=3, validation=split.take(9))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    for number, line in enumerate(lines, start=1):
        assert re.fullmatch(
            rf"epoch {number}/3  loss \d+\.\d{{4}}  accuracy \d\.\d{{4}}"
            r"  val loss \d+\.\d{4}  val accuracy \d\.\d{4}  [\d,]+ images/s(  \d+:\d\d left)?",
            line,
        )
        assert ("left" in line) == (number < 3)


def test_it_can_be_left_out(tiny, split, recipe, capsys):
    run = train(tiny, split, recipe=recipe, epochs=2, progress=False)
    assert capsys.readouterr().out == ""
    assert run.images_per_second > 0  # counted all the same


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand: `clock.now += 1`."""
    clock = types.SimpleNamespace(now=100.0)
    monkeypatch.setattr(callbacks.time, "perf_counter", lambda: clock.now)
    return clock


def ten_seconds_of_training(watcher: callbacks.Progress, clock) -> None:
    """Two epochs of 100 images in batches of 30, a second a batch and a second of validation after each."""
    watcher.on_train_begin()
    for epoch in range(2):
        watcher.on_epoch_begin(epoch)
        for batch in range(4):
            clock.now += 1
            watcher.on_train_batch_end(batch, {"loss": 0.5})
        clock.now += 1
        watcher.on_epoch_end(epoch, {"loss": 0.5, "val_loss": 0.25})
    watcher.on_train_end()


def test_what_is_counted(clock):
    watcher = callbacks.Progress(epochs=2, examples=100, batch_size=30)
    ten_seconds_of_training(watcher, clock)
    assert (watcher.images, watcher.seconds) == (200, 8.0)  # the partial batch counts 10, validation no time
    assert watcher.images_per_second == 25.0


def test_executions_of_several_steps_are_counted_whole(clock):
    watcher = callbacks.Progress(epochs=1, examples=100, batch_size=30)
    watcher.on_train_begin()
    watcher.on_epoch_begin(0)
    clock.now += 2
    watcher.on_train_batch_end(2, {"loss": 1.0})  # steps 0 to 2 in one go
    assert watcher.images == 90
    watcher.on_train_batch_end(5, {"loss": 1.0})  # the last, of which one step was left
    assert watcher.images == 100


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_gets_one_line_that_changes(clock, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys, "stdout", Terminal())
    ten_seconds_of_training(callbacks.Progress(epochs=2, examples=100, batch_size=30), clock)
    first, second, rest = sys.stdout.getvalue().split("\n")
    assert rest == ""
    shown = first.split("\r")
    assert shown[1].startswith("epoch 1/2 [======              ]  loss 0.5000  30 images/s  0:06 left")
    assert shown[2].startswith("epoch 1/2 [============        ]")
    # After 5 of 10 seconds; the kept line covers what stood there.
    assert shown[-1].rstrip() == "epoch 1/2  loss 0.5000  val loss 0.2500  25 images/s  0:05 left"
    assert len(shown[-1]) >= len(shown[-2].rstrip())
    assert second.split("\r")[-1].rstrip() == "epoch 2/2  loss 0.5000  val loss 0.2500  25 images/s"


def test_a_narrow_terminal_is_not_overrun(clock, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(sys, "stdout", Terminal())
    ten_seconds_of_training(callbacks.Progress(epochs=2, examples=100, batch_size=30), clock)
    for line in sys.stdout.getvalue().split("\n"):
        assert all(len(shown) < 60 for shown in line.split("\r")[:-1])  # a wrapped line cannot be written over


def test_an_interrupted_terminal_line_is_ended(clock, monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    watcher = callbacks.Progress(epochs=2, examples=100, batch_size=30)
    watcher.on_train_begin()
    watcher.on_epoch_begin(0)
    clock.now += 1
    watcher.on_train_batch_end(0, {"loss": 0.5})
    watcher.on_train_end()
    assert sys.stdout.getvalue().endswith("\n")


def test_a_notebook_gets_one_output_that_is_updated(clock, monkeypatch, capsys):
    import IPython.display

    shown = []

    class Handle:
        def update(self, content, raw):
            shown.append(("update", content["text/plain"], raw))

    def display(content, raw, display_id):
        shown.append(("display", content["text/plain"], raw))
        return Handle()

    monkeypatch.setattr(common, "in_notebook", lambda: True)
    monkeypatch.setattr(IPython.display, "display", display)
    ten_seconds_of_training(callbacks.Progress(epochs=2, examples=100, batch_size=30), clock)
    assert [kind for kind, _, _ in shown] == ["display"] + ["update"] * 9
    assert all(raw for _, _, raw in shown)
    assert shown[-1][1] == "epoch 2/2  loss 0.5000  val loss 0.2500  25 images/s"
    assert capsys.readouterr().out == ""


def test_updates_are_spaced_out(clock, monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    watcher = callbacks.Progress(epochs=1, examples=1000, batch_size=1)
    watcher.on_train_begin()
    watcher.on_epoch_begin(0)
    for batch in range(1000):
        clock.now += 0.001
        watcher.on_train_batch_end(batch, {"loss": 0.5})
    assert sys.stdout.getvalue().count("\r") <= 1 + 1 / callbacks.REFRESH


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00"), (59.6, "1:00"), (61, "1:01"), (3600, "60:00")])
def test_time_left(seconds, text, clock, capsys):
    watcher = callbacks.Progress(epochs=2, examples=10, batch_size=10)
    watcher.on_train_begin()
    watcher.on_epoch_begin(0)
    clock.now += seconds
    watcher.on_train_batch_end(0, {})
    watcher.on_epoch_end(0, {})
    assert capsys.readouterr().out.rstrip().endswith(f"{text} left")


def test_a_recipe_of_one_epoch_has_no_time_left(tiny, split, capsys):
    train(tiny, split, recipe=Recipe(batch_size=20), epochs=1)
    assert "left" not in capsys.readouterr().out
