"""What a team may type: its name, notes, codes and tokens; and the refusal where that does not fit.

Client and server use the same functions, so that a name is normalized in one way.
"""

import re
import secrets
import unicodedata

NAME_LENGTH = 30
NOTE_LENGTH = 80
TEAM_RULE = (
    f"1 to {NAME_LENGTH} letters or digits of one script, with blanks, dots, hyphens or underscores between them"
)
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")  # 256 bits, as `secrets.token_urlsafe(32)` writes them
CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that is taken for another: no I, L, O, U, 0, 1
CODE_LENGTH = 8  # 39 bits: with 40 codes and 100 guesses per second, one hit in 5 years
FORMULA = ("=", "+", "-", "@")  # how a formula starts in the spreadsheet that opens an export
BLANKS = re.compile(r"[\s\u2800]+")  # U+2800 is a braille cell without dots: as wide as a letter, and empty
# Characters that take no room at all: joiners, fillers and variation selectors.
UNSEEN = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060\u2d7f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\U000e0100-\U000e01ef]"
)
MOST_MARKS = 3  # accents on one letter: Devanagari needs three, a tower of them hides the lines above
EAST_ASIAN = {"CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "BOPOMOFO"}
ALIKE = {"LATIN", "GREEK", "CYRILLIC", "ARMENIAN"}  # scripts that share the looks of letters
SCRIPTS = (
    EAST_ASIAN
    | ALIKE
    | set(re.findall(r"\w+", "ARABIC BENGALI DEVANAGARI ETHIOPIC GEORGIAN GUJARATI GURMUKHI HEBREW KANNADA KHMER LAO"))
    | set(re.findall(r"\w+", "MALAYALAM MEETEI MONGOLIAN MYANMAR NKO OL ORIYA SINHALA SYRIAC TAMIL TELUGU THAANA"))
    | set(re.findall(r"\w+", "THAI TIBETAN TIFINAGH"))
)
MARKS = {"COMBINING", "VEDIC"}  # marks of more than one script


class RefusedError(ValueError):
    """A request that is refused with a sentence.

    Args:
        status: HTTP's code for it.
        reason: the sentence for the student.
        told: from 500 on, the sentence for the instructor's terminal.
        retry: seconds after which the same request may do better; 0: it will not.
    """

    def __init__(self, status: int, reason: str, told: str = "", retry: int = 0):
        super().__init__(reason)
        self.status = status
        self.told = told
        self.retry = retry


def team_name(team: object) -> str:
    """The name as it is kept and shown: in Unicode's form NFKC, with single blanks between words.

    Raises:
        RefusedError: this cannot be a team's name.
    """
    name = _visible(unicodedata.normalize("NFKC", team[:1000])) if isinstance(team, str) else ""
    fits = 1 <= len(name) <= NAME_LENGTH and _is_word(name[0]) and all(map(_may_stand_in_name, name))
    if fits and _one_script(name) and not _towers(name):
        return name
    shown = repr(team[:40] if isinstance(team, str) else team)
    raise RefusedError(400, f"The team name {shown} cannot be used: take {TEAM_RULE}.")


def allowed_name(name: str, otherwise: str) -> str:
    """The name without what no team's name may hold, or `otherwise`, where nothing is left that can be a name."""
    kept = "".join(letter if _may_stand_in_name(letter) else " " for letter in unicodedata.normalize("NFKC", name))
    try:
        return team_name(_visible(kept).lstrip(" .-_")[:NAME_LENGTH])
    except RefusedError:
        return otherwise


def note_text(note: object) -> str:
    """The note as it is kept and shown: one line, without characters that nobody sees.

    Raises:
        RefusedError: this cannot be a submission's note.
    """
    if isinstance(note, str) and len(note) <= NOTE_LENGTH and all(map(_may_stand_in_note, UNSEEN.sub("", note))):
        text = _visible(unicodedata.normalize("NFC", note))
        if not unicodedata.normalize("NFKC", text).startswith(FORMULA) and not _towers(text):
            return text
    came = f"{len(note):,} characters" if isinstance(note, str) else repr(note)
    raise RefusedError(
        400,
        f"A note is a line of at most {NOTE_LENGTH} characters, without control characters and heaps of accents, that "
        f"starts with no sign, such as =; this is {came}.",
    )


def new_code() -> str:
    """A code for a team to join with, such as "K7QF-2MXD"."""
    letters = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
    return f"{letters[:4]}-{letters[4:]}"


def code_text(code: object) -> str:
    """The code as it is kept: capitals, with the hyphen in its place, however it was typed; "" for none.

    Raises:
        RefusedError: not a code at all.
    """
    if isinstance(code, str) and not code.strip():
        return ""
    letters = re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", code)).upper() if isinstance(code, str) else ""
    if len(letters) != CODE_LENGTH or not set(letters) <= set(CODE_LETTERS):
        raise RefusedError(
            400, f"A code has {CODE_LENGTH} letters and digits, as on your slip, for example K7QF-2MXD; not {code!r}."
        )
    return f"{letters[:4]}-{letters[4:]}"


def _visible(text: str) -> str:
    return BLANKS.sub(" ", UNSEEN.sub("", text)).strip()


def _is_word(letter: str) -> bool:
    return unicodedata.category(letter)[0] == "L" or unicodedata.category(letter) == "Nd"


def _may_stand_in_name(letter: str) -> bool:
    return letter in " .-_" or _is_word(letter) or unicodedata.category(letter) in ("Mn", "Mc")


def _may_stand_in_note(letter: str) -> bool:
    return letter.isprintable() or unicodedata.category(letter) == "Zs"


def _one_script(name: str) -> bool:
    """Whether no letter of the name can pass for one of another script that is also there.

    Most scripts have a letter that is drawn like an o or an l, so only names in East Asia mix theirs with Latin.
    """
    scripts = {_script(letter) for letter in name if unicodedata.category(letter)[0] == "L"}
    marks = {_script(letter) for letter in name if unicodedata.category(letter)[0] == "M"}
    if not marks <= scripts | MARKS:  # a mark of another script may not be seen at all
        return False
    others = {"EAST ASIAN" if script in EAST_ASIAN else script for script in scripts - ALIKE}
    return scripts <= SCRIPTS and (len(scripts & ALIKE) + len(others) <= 1 or scripts <= EAST_ASIAN | {"LATIN"})


def _script(letter: str) -> str:
    return unicodedata.name(letter, "?").split()[0]


def _towers(text: str) -> bool:
    """Whether a letter carries more accents than any script needs."""
    marks = "".join("m" if unicodedata.category(letter)[0] == "M" else " " for letter in text)
    return "m" * (MOST_MARKS + 1) in marks
