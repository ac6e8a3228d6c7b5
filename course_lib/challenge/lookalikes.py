"""Names that look alike on a board are one name: "Alice" and "AIice", "our name" and "our  name".

Each name has two keys, and two names may not share one: how it is spelled (without case and accents), and how it
looks (letters that are drawn alike are one).
"""

import re
import unicodedata

DRAWN_ALIKE = (
    ("АВЕЗКМНОРСТУХЅІЈԌԚԜҺӀЬавекмнорстухѕіјһԁԛԝӏь", "ABE3KMHOPCTYXSIJGQWhIbaBekmHopcTyxsijhdqwlb"),  # Cyrillic
    ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαγηικνορυχω", "ABEZHIKMNOPTYXaynikvopuxw"),  # Greek
    ("ՕԼՏՍօոսցհյզ", "OLSUonughjq"),  # Armenian
    ("\u1175\u4e28\u1102\u110b\u11bc", "llLoo"),  # East Asian: ㅣ, 丨, ㄴ and ㅇ in both of its places
    ("ɑɩƖǀꟾꞁƿƽ", "allIIlp5"),  # rare letters of Latin
    ("Il10O", "|||oo"),  # within Latin
)
LETTERS = str.maketrans(
    {alien: latin for aliens, latins in DRAWN_ALIKE for alien, latin in zip(aliens, latins, strict=True)}
)
PAIRS = (("rn", "m"), ("vv", "w"))
# A Latin letter that Unicode does not take apart: ø, ł, đ, ı, ɡ, ᴀ; its name ends with the plain letter.
LATIN = re.compile(
    r"LATIN (SMALL|CAPITAL) LETTER (?:DOTLESS |SCRIPT )?([A-Z])(?: WITH .*)?|LATIN LETTER SMALL (CAPITAL) ([A-Z])"
)
ABOVE_OR_BELOW = 200  # canonical combining classes of accents; the vowel signs of other scripts have lower ones


def keys(name: str) -> tuple[str, str]:
    """How the name is spelled, and how it looks."""
    plain = "".join(map(_plain, unicodedata.normalize("NFKD", name)))
    look = plain.translate(LETTERS).translate(LETTERS).casefold()  # twice: from Cyrillic to Latin, from I to |
    for pair, single in PAIRS:
        look = look.replace(pair, single)
    return _spaced(plain.casefold()), _spaced(look)


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
