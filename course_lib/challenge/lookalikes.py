"""Names that look alike on a board are one name: "Alice" and "AIice", "our name" and "our  name".

Each name has two keys, and two names may not share one: how it is spelled (without case and accents), and how it
looks (letters that are drawn alike are one).
"""

import re
import unicodedata
from pathlib import Path

LOOKS = {  # of Unicode's table of letters that are easily confused
    letter: look
    for line in (Path(__file__).parent / "lookalikes.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
    for look, letters in [line.split(" ")]
    for letter in letters
}
ALIKE = (  # what is missing there, or looks otherwise on the board's page
    ("ІԚҺӀвкмнтӏь", "IQhIBkmHTlb"),  # Cyrillic
    ("Ικηχω", "Iknxw"),  # Greek
    ("Լյ", "Lj"),  # Armenian
    ("\u1175\u4e28\u1102\u110b\u11bc", "llLoo"),  # East Asian: ㅣ, 丨, ㄴ and ㅇ in both of its places
    ("丅ㄒ乂丫匚ㄥ", "TTXYCL"),
    ("ɩǀꟾꞁƿƽĸꭓ", "lIIlp5kx"),  # rare letters of Latin
    ("\u0665\u0667", "oV"),  # digits of Arabic: ٥ and ٧
)
for letters, looks in ALIKE:
    LOOKS.update(zip(letters, looks, strict=True))
WITHIN_LATIN = str.maketrans("Il10O", "|||oo")
PAIRS = (("rn", "m"), ("vv", "w"))
# A Latin letter that Unicode does not take apart: ø, ł, đ, ı, ɡ, ᴀ; its name ends with the plain letter.
LATIN = re.compile(
    r"LATIN (SMALL|CAPITAL) LETTER (?:DOTLESS |SCRIPT )?([A-Z])(?: WITH .*)?|LATIN LETTER SMALL (CAPITAL) ([A-Z])"
)
ABOVE_OR_BELOW = 200  # canonical combining classes of accents; the vowel signs of other scripts have lower ones
THROUGH = 1  # of lines through a letter
POINTS = range(10, 37)  # of Hebrew, Arabic and Syriac: a word is mostly written without them
LONGER = "\u0640\u07fa"  # the line that makes an Arabic or NKo word longer


def keys(name: str) -> tuple[str, str]:
    """How the name is spelled, and how it looks."""
    letters = unicodedata.normalize("NFKD", name)
    plain = "".join(map(_plain, letters))
    shown = [letter for letter in letters if letter not in LONGER and not _is_faint(letter)]
    look = "".join(LOOKS.get(letter) or _plain(letter) for letter in shown).translate(WITHIN_LATIN).casefold()
    for pair, single in PAIRS:
        look = look.replace(pair, single)
    return _spaced(plain.casefold()), _spaced(look)


def _is_faint(letter: str) -> bool:
    return unicodedata.combining(letter) == THROUGH or unicodedata.combining(letter) in POINTS


def _plain(letter: str) -> str:
    """The letter without an accent or a stroke; a digit of any script as 0 to 9."""
    if unicodedata.combining(letter) >= ABOVE_OR_BELOW:
        return ""
    if letter.isdecimal():
        return str(unicodedata.decimal(letter))
    found = LATIN.fullmatch(unicodedata.name(letter, ""))
    if not found:
        return letter
    case, plain = (part for part in found.groups() if part)
    return plain.lower() if case == "SMALL" else plain


def _spaced(text: str) -> str:
    """Every run of blanks, dots, hyphens and underscores is one blank between words."""
    return re.sub(r"[ ._-]+", " ", text).strip()
