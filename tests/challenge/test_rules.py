"""Names, notes and codes: which are taken, how they are kept, and which names look like one another."""

import pytest

from course_lib.challenge import rules
from course_lib.challenge.lookalikes import keys
from course_lib.challenge.rules import RefusedError

HIDDEN = "\u3164"  # HANGUL FILLER, a letter that nobody sees


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Solo ", "Solo"),
        (" our \t name\n", "our name"),
        ("Ａlice", "Alice"),
        ("Équipe", "Équipe"),
        ("किरण दल", "किरण दल"),
        ("团队 7", "团队 7"),
        ("فريق", "فريق"),
        ("Команда", "Команда"),
        ("ทีมเอ", "ทีมเอ"),
        ("チーム", "チーム"),
        ("Al\u200bice", "Alice"),
        ("Team 团队", "Team 团队"),
        ("K팝 팀", "K팝 팀"),
    ],
)
def test_names_in_any_script_are_kept_in_one_form(typed, name):
    assert rules.team_name(typed) == name
    assert rules.team_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", " ", "_A", "A" * 31, "<b>", "a/b", "a'b", "Human (measured)", "A\u202eB", "=A", "😀", "A\0B", None, 7),
        *("\u2800" * 5, HIDDEN * 3, "Аlice", "Ωmega team", "a" + "\u0301\u0302\u0303\u0304\u0305", "ꓮꓢ"),
        *(
            "Aⵏice",
            "Bဝb",
            "Bסb",
            "Team ߋ",
            "Иван ⵏ",
            "Иван 团队",
            "Ali\u05b0ce",  # a point of Hebrew
            "Alice\U00016fe4",  # a mark of Khitan that nobody sees
        ),  # letters of two scripts of which one passes for Latin
    ],
)
def test_what_cannot_be_a_name(name):
    with pytest.raises(RefusedError, match="cannot be used") as refused:
        rules.team_name(name)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *(("our name", "our  name"), ("our name", "Our-Name"), ("Alice", "AIice"), ("Alice", "ALICE")),
        *(("Team 1", "Team I"), ("Team O", "Team 0"), ("modern", "modem"), ("coco", "сосо"), ("vova", "νονα")),
        *(
            ("ΝΟ", "νο"),
            ("Müller", "Muller"),
            ("Øre", "Ore"),
            ("Solo", "Solo."),
            ("Team 3", "Team ३"),
            ("iris", "ıris"),
        ),
        *(("Alice", "A\u3163ice"), ("Alice", "Aǀice"), ("Alice", "A丨ice"), ("Max", "Mɑx"), ("Bob", "Bㅇb")),
        *(("Team 2", "Team Ƨ"), ("Team 8", "Team ৪"), ("OX", "ⵔⵝ"), ("boo", "Ƅoo"), ("Aesop", "Æsop"), ("rot", "гот")),
        *(("فريق", "فـريق"), ("فريق", "فَريق"), ("علي", "علی"), ("كتاب", "کتاب"), ("שלום", "שָׁלוֹם"), ("ΛΑ", "ЛА")),
        *(("ロ 1", "口 1"), ("ニ", "二"), ("ヘルプ", "へルプ"), ("カ", "力"), ("一", "ー"), ("Ore", "O\u0338re")),
        *(("kiwi", "ĸiwi"), ("Max", "Maꭓ"), ("Max", "Ma乂"), ("Team", "丅eam"), ("Team", "ㄒeam"), ("Yoda", "丫oda")),
        *(("Coco", "匚oco"), ("Lima", "ㄥima"), ("ⵜⵎ", "ⵜ\u2d7fⵎ"), ("Team O", "Team ٥"), ("Team V", "Team ٧")),
        *(("AIEX", "АӀЕХ"), ("Bob", "ВоЬ"), ("Bob", "Воь"), ("pep", "ƿep"), ("Alice", "Aɩice"), ("Ivy", "ꟾvy")),
    ],
)
def test_names_that_look_alike(one, other):
    assert set(keys(rules.team_name(one))) & set(keys(rules.team_name(other)))


def test_names_of_a_class_do_not_look_alike():
    names = [f"Team {letter}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"] + [f"Group {n}" for n in range(1, 100)]
    names += [
        "Team 1.1",
        "Team 11",
        "किरण",
        "करण",
        "Иван",
        "Иваи",
        "Ольга",
        "Олга",
        "이슬",
        "아슬",
        "강",
        "가",
        "か",
        "カ",
        "が",
        "へん",
        "ペン",
        "노",
        "오",
    ]
    looks = [look for name in names for look in set(keys(name))]
    assert len(looks) == len(set(looks))


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("🚀 rockets", "rockets"),
        ("a/b", "a b"),
        ("- x", "x"),
        ("A" * 40, "A" * 30),
        ("Аlice", "Team 7"),
        ("🚀", "Team 7"),
    ],
)
def test_an_old_name_is_made_one_that_is_allowed(name, kept):
    assert rules.allowed_name(name, "Team 7") == kept


@pytest.mark.parametrize(
    "note",
    ["x" * 81, "two\nlines", "bell\a", "=1+1", "@sum", "＝1", "\u2800=1", "right\u202eto left", "a" + "\u0301" * 9],
)
def test_notes_are_one_line_that_a_spreadsheet_shows(note):
    with pytest.raises(RefusedError, match="note"):
        rules.note_text(note)


def test_notes_lose_what_nobody_sees():
    assert rules.note_text("\u2800" * 80) == ""
    assert rules.note_text(f" a{HIDDEN}  b ") == rules.note_text("a\u00a0b") == "a b"
    assert rules.note_text("👩\u200d💻 at night") == "👩💻 at night"


def test_codes_are_read_however_they_are_typed():
    code = rules.new_code()
    assert rules.code_text(f" {code.lower().replace('-', ' ')} ") == code
    assert rules.code_text("Ｋ７ＱＦ－２ｍｘｄ") == "K7QF-2MXD"
    assert rules.code_text("") == rules.code_text(" ") == ""
    for wrong in ("K7QF", "K7QF-2MX0", "K7QF-2MXDD", "----", "\ufffd" * 8, None):
        with pytest.raises(RefusedError, match="on your slip"):
            rules.code_text(wrong)
    assert len({rules.new_code() for _ in range(1000)}) == 1000
