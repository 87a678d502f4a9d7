"""What a line of plain text is by its form: a heading, a field, a byline, a date."""

from __future__ import annotations

import re

# Longer lines are no headings.
MAX_HEADING = 100
MAX_WORDS = 14

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DATE = re.compile(
    rf"(?<!\d)(?:\d{{4}}-\d{{2}}-\d{{2}}|\d{{1,2}}[./]\d{{1,2}}[./]\d{{4}}"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?\s{_MONTH},?\s\d{{4}}|{_MONTH}\s\d{{1,2}}(?:st|nd|rd|th)?,?\s\d{{4}}"
    rf"|{_MONTH}\s\d{{4}})(?!\d)",
    re.IGNORECASE,
)
_NAME = r"[^\W\d_][\w.'’-]{0,30}(?:\s[^\W\d_][\w.'’-]{0,30}){1,4}"
_NAMES = rf"{_NAME}(?:(?:,\s|\sand\s|\s&\s|,\sand\s){_NAME}){{0,5}}"
_BY = re.compile(rf"(?:written\sby|by|author:?)\s+({_NAMES})(?=$|\s*[,|·•–—(<-])", re.IGNORECASE)
_NAME_AND_DATE = re.compile(rf"({_NAME})\s?[,|·•–—-]\s")
_PARTICLES = frozenset(
    {"and", "&", "de", "da", "la", "van", "von", "der", "den", "del", "di", "bin"}
)
FIELD = re.compile(r"([^\W\d_a-z][\w'’()/&.-]{0,20}(?: [\w'’()/&.-]{1,20}){0,3}):\s+(?=\S)")
_URL_OR_MAIL = re.compile(r"https?://|www\.|\S@\S")
# "4. Redistribution", "2.1 Scope", "A.3 Notes", "§ 5 Scope".
_NUMBERED = re.compile(r"((?:§\s?)?(?:\d{1,3}|[A-Z](?=\.\d))(?:\.\d{1,3}){0,5})(\.?\)?)\s+(?=\S)")
_CHAPTER = re.compile(
    r"(?:(part|book|volume)|(?:chapter|article|section|appendix|annex|schedule|title|act|scene|lesson))"
    r"\s+(?:\d{1,4}|[ivxlcdm]{1,8}|[a-z]|one|two|three|four|five|six|seven|eight|nine|ten)"
    r"(?:\s?[.:–—-]\s?|\s+|$)",
    re.IGNORECASE,
)
_ENDS_OPEN = (",", ";", ":", "…", "-", "–", "—", "&", "(", "=", "{", "\\")
_STOPS = (".", "!", "?", "。", "！", "？", "।", "؟", "，", "；", "：")
_CLOSING = "”’»\"')]*_ "


def heading_style(text: str) -> str:
    """How a heading is marked as one: part, chapter, caps or the depth of its number, or "".

    A numbered heading may end with a full stop where its words have capitals ("0. Definitions.").
    """
    if len(text) > MAX_HEADING or len(text.split()) > MAX_WORDS:
        return ""
    chapter = _CHAPTER.match(text)
    if chapter and _is_name(text[chapter.end() :]):
        return "part" if chapter[1] else "chapter"
    numbered = _NUMBERED.match(text)
    if numbered:
        rest = text[numbered.end() :]
        many = numbered[1].count(".")
        if (many or numbered[2] or numbered[1].startswith("§")) and _is_name(rest):
            return f"number {many + 1}"
        return ""
    letters = [character for character in text if character.isalpha()]
    is_caps = len(letters) > 3 and all(map(str.isupper, letters))
    if is_caps and not text.endswith((*_ENDS_OPEN, ".")) and not FIELD.match(text):
        return "caps"
    return ""


def may_be_heading(text: str, *, title: bool = False) -> bool:
    """Whether a line by itself may be a heading that nothing marks as one.

    It is short, begins with a capital or in a script without them, does not end as a sentence does, and
    is no field, byline, date, address or amount. A title may be longer, and may have a colon.
    """
    limit = 2 * MAX_HEADING if title else MAX_HEADING
    words = len(text.split())
    if len(text) > limit or words > (3 if title else 1) * MAX_WORDS:
        return False
    bare = text.rstrip(_CLOSING)
    if not bare or bare.endswith((*_ENDS_OPEN, *_STOPS)):
        return False
    first = text.lstrip("\"'“‘«([¿¡")[:1]
    if not first.isalpha() or first.islower():
        return False
    if ": " in text and not (title and words > 4):
        return False
    return not (is_byline(text) or _DATE.search(text) or _is_contact(text))


def _is_contact(text: str) -> bool:
    """Whether a line has a telephone number, a house number, an amount or an address of the net."""
    digits = sum(map(str.isdigit, text))
    return bool(_URL_OR_MAIL.search(text)) or 4 * digits > len(text) or "€" in text or "$" in text


def _is_name(text: str) -> bool:
    """Whether the words after a heading's number are a name and not a sentence."""
    bare = text.rstrip(_CLOSING)
    if not text:
        return True
    if bare.endswith((*_ENDS_OPEN, "!", "?")) or not (text[0].isalpha() or text[0] in "\"“'‘("):
        return False
    if text[0].islower() or _URL_OR_MAIL.search(text):
        return False
    if not bare.endswith("."):
        return True
    return all(not word[0].islower() for word in text.split() if len(word) > 4)


def is_byline(text: str) -> bool:
    """Whether a line says who wrote the text."""
    return bool(byline_of(text)[0])


def byline_of(text: str) -> tuple[str, str]:
    """The author and the date that a line at a text's top names, as written, or ""."""
    if len(text) > 2 * MAX_HEADING or text.endswith("."):
        return "", ""
    date = _DATE.search(text)
    by = _BY.match(text)
    author = by[1] if by else ""
    if not by and date:
        named = _NAME_AND_DATE.match(text)
        author = named[1] if named and named.end() == date.start() else ""
    # "By the way" names nobody.
    if not all(word[0].isupper() or word in _PARTICLES for word in author.split()):
        author = ""
    rest = text.replace(date[0], "") if date else text
    is_short = len(rest.split()) <= 4
    return author, date[0] if date and (author or is_short) else ""
