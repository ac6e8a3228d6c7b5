"""`data/published`: the tables of networks and of the challenge's winners are whole, consistent and sourced."""

import collections

import pytest

from course_lib import common

NETWORKS = common.published("architectures")
WINNERS = common.published("imagenet_winners")
BY_NAME = {}
for each in NETWORKS:
    BY_NAME.setdefault(each["name"], []).append(each)
ERRORS = ("top1_error", "top5_error", "test_error")
COUNTS = ("parameters", "multiply_adds", "connections", "depth")
CIFAR_DEPTHS = (20, 32, 44, 56, 110)


def errors(row):
    return {column: float(row[column]) for column in ERRORS if row.get(column)}


def parameters(name):
    return int(BY_NAME[name][0]["parameters"])


def test_every_network_of_the_lecture_has_a_row():
    names = {
        *("neocognitron", "lenet5_1998", "lenet5", "alexnet", "alexnet_one_tower", "zfnet", "googlenet", "prelu_net"),
        *("vgg11", "vgg11_lrn", "vgg13", "vgg16_1x1", "vgg16", "vgg19", "plain18", "plain34"),
        *(f"resnet{depth}" for depth in (18, 34, 50, 101, 152, *CIFAR_DEPTHS, 1202)),
        *(f"plain{depth}" for depth in CIFAR_DEPTHS),
        *("alexnet_small", "cnn_small", "vgg_small", "resnet_small", "plain_small"),
    }
    assert set(BY_NAME) == names
    assert [row["name"] for row in NETWORKS] == [row["name"] for rows in BY_NAME.values() for row in rows]


@pytest.mark.parametrize("name", BY_NAME)
def test_a_networks_rows_agree(name):
    rows = BY_NAME[name]
    assert len({(row["year"], row["authors"], row["paper"]) for row in rows}) == 1
    assert 1980 <= int(rows[0]["year"]) <= 2016 and rows[0]["authors"] and rows[0]["paper"]
    assert max(collections.Counter(row["measured"] for row in rows).values()) == 1
    assert not any(row[count] for row in rows[1:] for count in COUNTS), "only the first row holds the counts"


@pytest.mark.parametrize("row", [*NETWORKS, *WINNERS], ids=lambda row: row.get("name") or row["team"])
def test_a_row_is_whole(row):
    assert None not in row and None not in row.values(), "as many cells as columns"
    assert row["source"]
    assert all(cell == " ".join(cell.split()) for cell in row.values())
    assert all(0 < value < 100 for value in errors(row).values())
    if row.get("top1_error") and row["top5_error"]:
        assert float(row["top5_error"]) <= float(row["top1_error"])
    if "measured" in row:
        assert bool(row["measured"]) == bool(errors(row)), "an error, and how it was measured"
        assert all(int(row[count]) > 0 for count in COUNTS if row[count])


def test_parameters_differ_by_what_the_networks_differ_in():
    # Today's LeNet has a full c3 and a trained output, and pooling without parameters.
    assert parameters("lenet5_1998") + 900 + 850 - 44 == parameters("lenet5")
    assert parameters("neocognitron") == (25 + 1) * 24 + 2 * (24 * 25 + 1) * 24
    # What towers leave out: conv2, 4 and 5 see half of the maps.
    seen = 25 * 48 * 256 + 9 * 192 * 384 + 9 * 192 * 256
    assert parameters("alexnet_one_tower") - parameters("alexnet") == seen
    # Configurations C to E add convolutions to B: 256, 512 and 512 wide.
    assert parameters("vgg11") == parameters("vgg11_lrn")
    added = {size: [size * width**2 + width for width in (256, 512, 512)] for size in (1, 9)}
    assert parameters("vgg16_1x1") - parameters("vgg13") == sum(added[1])
    assert parameters("vgg16") - parameters("vgg13") == sum(added[9])
    assert parameters("vgg19") - parameters("vgg16") == sum(added[9])
    # Shortcut B: three 1×1 convolutions, each with normalization.
    shortcuts = sum(width * 2 * width + 2 * 2 * width for width in (64, 128, 256))
    assert parameters("resnet18") - parameters("plain18") == shortcuts
    assert parameters("resnet34") - parameters("plain34") == shortcuts
    for depth in CIFAR_DEPTHS:
        assert parameters(f"plain{depth}") == parameters(f"resnet{depth}")
    for depth in (*CIFAR_DEPTHS, 1202):
        # n blocks of two convolutions at each of three widths; two of them begin with half the width.
        blocks = (depth - 2) // 6
        convolutions = sum(2 * blocks * (9 * width**2 + 2 * width) for width in (16, 32, 64))
        halved = sum(9 * width * (width // 2) for width in (32, 64))
        assert parameters(f"resnet{depth}") == (9 * 3 * 16 + 32) + convolutions - halved + (64 + 1) * 10


def test_what_the_papers_conclude_is_in_the_numbers():
    single = {name: errors(BY_NAME[name][0]) for name in BY_NAME}
    assert single["resnet18"]["top1_error"] < single["plain18"]["top1_error"] < single["plain34"]["top1_error"]
    assert single["resnet34"]["top1_error"] > single["resnet50"]["top1_error"] > single["resnet152"]["top1_error"]
    assert single["vgg11_lrn"]["top5_error"] >= single["vgg11"]["top5_error"] > single["vgg13"]["top5_error"]
    deep = [single[f"resnet{depth}"]["test_error"] for depth in CIFAR_DEPTHS]
    assert deep == sorted(deep, reverse=True)
    assert single["resnet1202"]["test_error"] > single["resnet56"]["test_error"]


def test_every_depth_in_a_name_is_the_depth():
    for name, rows in BY_NAME.items():
        digits = "".join(filter(str.isdigit, name.split("_")[0]))
        if name.startswith(("vgg", "plain", "resnet")) and digits:
            assert rows[0]["depth"] == digits


def test_winners():
    kinds = collections.Counter((row["year"], row["kind"]) for row in WINNERS)
    assert [year for year, kind in sorted(kinds) if kind == "winner"] == [str(year) for year in range(2010, 2018)]
    assert kinds["2012", "winner"] == kinds["2013", "winner"] == 2, "with and without extra data"
    assert all(row["extra_data"] in ("yes", "no") for row in WINNERS if row["kind"] != "human")
    assert {row["kind"] for row in WINNERS} == {"winner", "second", "entry", "human"}
    assert {row["entered_as"] for row in WINNERS} == {"ensemble", ""}
    alike = [row for row in WINNERS if row["kind"] == "winner" and row["extra_data"] == "no"]
    falling = [float(row["top5_error"]) for row in alike]
    assert falling == sorted(falling, reverse=True) and len(falling) == 8
    assert {row["network"] for row in WINNERS if row["network"]} <= set(BY_NAME)


def test_a_winners_figure_is_its_networks():
    for row in WINNERS:
        if row["network"] in ("alexnet", "vgg19", "resnet152", "googlenet"):
            tests = [each for each in BY_NAME[row["network"]] if " test" in each["measured"]]
            figures = [float(each["top5_error"]) for each in tests]
            assert any(abs(figure - float(row["top5_error"])) <= 0.05 for figure in figures), row["team"]
