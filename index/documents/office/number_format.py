"""Numbers as a spreadsheet shows them, by their format codes ("#,##0.00 €", "yyyy-mm-dd").

The codes are those of ECMA-376 part 1, 18.8.30 and 18.8.31. Decimal points, names of months and dates
whose form depends on the reader's machine are written as in English and as ISO 8601.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from functools import lru_cache
from math import isfinite

from index.documents.office.date_format import format_date, is_date_token

_ACCOUNTING = '_(* #,##0{d}_);_(* (#,##0{d});_(* "-"_);_(@_)'
# Formats that a file names by a number only. Those of dates are the reader's own.
BUILT_IN = {
    **{0: "General", 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%"},
    **{5: "$#,##0;($#,##0)", 6: "$#,##0;($#,##0)", 7: "$#,##0.00;($#,##0.00)"},
    **{8: "$#,##0.00;($#,##0.00)", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??"},
    **{14: "yyyy-mm-dd", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM"},
    **{19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss", 22: "yyyy-mm-dd h:mm"},
    **dict.fromkeys((*range(27, 32), 36, *range(50, 59)), "yyyy-mm-dd"),
    **dict.fromkeys(range(32, 36), "h:mm:ss"),
    **{37: "#,##0;(#,##0)", 38: "#,##0;(#,##0)", 39: "#,##0.00;(#,##0.00)"},
    **{40: "#,##0.00;(#,##0.00)", 41: _ACCOUNTING.format(d=""), 42: _ACCOUNTING.format(d="")},
    **{43: _ACCOUNTING.format(d=".00"), 44: _ACCOUNTING.format(d=".00"), 45: "mm:ss"},
    **{46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@"},
}
# Beyond, a number is shown with an exponent, and its digits are no longer all known.
_MAX_WHOLE = 10**15
MAX_CODE = 255  # the longest that Excel takes
_EXACT = Context(prec=2 * MAX_CODE)

_TOKEN = re.compile(
    r"""
      "(?P<quoted>[^"]*)"? | \\(?P<escaped>.) | [_*].? | \[\$(?P<currency>[^\]-]*)[^\]]*\]
    | \[(?P<elapsed>h+|m+|s+)\] | \[(?P<test>[<>=]{1,2})(?P<limit>-?[\d.]+)\] | \[[^\]]*\]
    | (?P<general>General) | (?P<date>AM/PM|A/P|y+|m+|d+|h+|s+) | (?P<exponent>E[+-])
    | (?P<digit>[0#?]) | (?P<sign>[.,%@/]) | (?P<section>;) | (?P<other>.)
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_SPACES = re.compile(r"\s+")
_TESTS = {"<": -1, "<=": -1, ">": 1, ">=": 1, "=": 0, "<>": 0}

Token = tuple[str, str]  # what it is, and its text


@dataclass(frozen=True, slots=True)
class _Section:
    """One of up to four parts of a code, each for some of the values."""

    tokens: tuple[Token, ...]
    test: tuple[str, float] | None = None

    @property
    def is_date(self) -> bool:
        return any(kind in ("date", "elapsed") for kind, _ in self.tokens)

    def has(self, kind: str, text: str = "") -> bool:
        return any(one == kind and (not text or text == said) for one, said in self.tokens)


def format_number(value: float, code: str, *, date_1904: bool = False) -> str:
    """The number as a cell of that format shows it; dates count from 1900, or from 1904.

    Raises ValueError for one that is infinite or none.
    """
    if not isfinite(value):
        raise ValueError(f"{value} is not a number that a cell can have")
    sections = _parse(code[:MAX_CODE])
    section, is_negative_section = _choose(sections, value)
    if section.is_date:
        return format_date(value, section.tokens, date_1904) or general(value)
    size = abs(value)
    if section.has("exponent"):
        text = _with_exponent(size, section)
    elif section.has("sign", "/") and section.has("digit"):
        text = _as_fraction(size, section)
    else:
        text = _with_digits(size, section)
    text = _SPACES.sub(" ", text).strip()
    has_number = section.has("digit") or section.has("general")
    signed = (
        value < 0 and not is_negative_section and has_number and any(c in "123456789" for c in text)
    )
    return f"-{text}" if signed else text


def is_date_format(code: str) -> bool:
    """Whether numbers of that format are shown as a date or a time."""
    return _parse(code[:MAX_CODE])[0].is_date


def general(value: float) -> str:
    """The number as a cell without a format shows it: up to ten digits, whole ones up to fifteen."""
    if value == int(value) and abs(value) < _MAX_WHOLE:
        return str(int(value))
    text = f"{value:.10g}"
    mantissa, exponent, power = text.partition("e")
    return f"{mantissa}E{power}" if exponent else text


@lru_cache(maxsize=512)
def _parse(code: str) -> tuple[_Section, ...]:
    sections: list[_Section] = []
    tokens: list[Token] = []
    test = None
    for found in _TOKEN.finditer(code):
        kind = found.lastgroup or ""
        text = found[0]
        if kind == "section":
            sections.append(_Section(tuple(tokens), test))
            tokens, test = [], None
        elif kind == "limit":
            test = found["test"], float(found["limit"])
        elif kind in ("quoted", "escaped", "currency", "other"):
            tokens.append(("text", found[kind]))
        elif kind == "elapsed":
            tokens.append((kind, found[kind].lower()))
        elif kind:
            tokens.append((kind, text.lower() if is_date_token(kind) else text))
    return (*sections, _Section(tuple(tokens), test))


def _choose(sections: tuple[_Section, ...], value: float) -> tuple[_Section, bool]:
    """The section for a value, and whether it is the one for negative ones, which sets the sign."""
    if any(section.test for section in sections):
        for section in sections:
            if section.test is None or _passes(value, *section.test):
                return section, False
        return sections[-1], False
    if len(sections) > 1 and value < 0:
        return sections[1], True
    if len(sections) > 2 and value == 0:
        return sections[2], False
    return sections[0], False


def _passes(value: float, test: str, limit: float) -> bool:
    order = (value > limit) - (value < limit)
    if test == "<>":
        return order != 0
    return order == _TESTS[test] or ("=" in test and order == 0)


def _with_digits(value: float, section: _Section) -> str:
    """The value in the section's places for digits, with what stands around and between them."""
    tokens = section.tokens
    point = next((n for n, token in enumerate(tokens) if token == ("sign", ".")), len(tokens))
    whole = [n for n, (kind, _) in enumerate(tokens[:point]) if kind == "digit"]
    decimals = [text for kind, text in tokens[point:] if kind == "digit"]
    end = max(whole, default=-1)
    last = max((n for n, (kind, _) in enumerate(tokens) if kind == "digit"), default=-1)
    commas = [n for n, token in enumerate(tokens) if token == ("sign", ",")]
    grouped = any(whole and whole[0] < n < end for n in commas)
    scale = sum(1 for n in commas if n > last or end < n < point) if whole else 0
    percents = sum(1 for token in tokens if token == ("sign", "%"))
    digits, fraction = _rounded(value, 2 * percents - 3 * scale, len(decimals))
    zeros = next((len(whole) - n for n, at in enumerate(whole) if tokens[at][1] == "0"), 0)
    digits = digits.lstrip("0").rjust(zeros, "0")
    kept = max(
        (
            n
            for n, (d, p) in enumerate(zip(fraction, decimals, strict=True), 1)
            if d != "0" or p == "0"
        ),
        default=0,
    )
    fraction = fraction[:kept]
    if grouped:
        digits = f"{int(digits or 0):,}" if digits else ""
    elif not whole and digits:
        whole = [point]
    # The first place takes all the digits that have no place of their own.
    places = ([digits] + [""] * len(whole))[: len(whole)]
    if len(whole) > 1 and not grouped:
        padded = digits.rjust(len(whole))
        extra = len(padded) - len(whole) + 1
        places = [padded[:extra].strip(), *padded[extra:].replace(" ", "\0")]
    at_place = dict(zip(whole, places, strict=True))
    written = []
    for n, (kind, text) in enumerate(tokens):
        written.append(at_place.get(n, "").replace("\0", ""))
        if kind == "text" or (kind, text) == ("sign", "%"):
            written.append(text)
        elif kind == "general":
            written.append(general(value))
        elif n == point and fraction:
            written.append(f".{fraction}")
        elif kind == "sign" and text == "/":
            written.append(text)
    return "".join(written)


def _rounded(value: float, power: int, decimals: int) -> tuple[str, str]:
    """The digits before and after the point of value × 10 ** power, rounded half up as in Excel."""
    scaled = Decimal(repr(value)).scaleb(power)
    if scaled.adjusted() > 20:  # more than a number of a cell has
        return str(int(scaled)), "0" * decimals
    text = str(scaled.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP, _EXACT))
    digits, _, fraction = text.partition(".")
    return digits, fraction


def _with_exponent(value: float, section: _Section) -> str:
    at = next(n for n, (kind, _) in enumerate(section.tokens) if kind == "exponent")
    before, after = section.tokens[:at], section.tokens[at:]
    point = next((n for n, token in enumerate(before) if token == ("sign", ".")), at)
    decimals = sum(1 for kind, _ in before[point:] if kind == "digit")
    width = sum(1 for kind, _ in after if kind == "digit")
    mantissa, _, power = f"{value:.{decimals}E}".partition("E")
    sign = "-" if power.startswith("-") else "+" if after[0][1].endswith("+") else ""
    around = "".join(text for kind, text in (*before, *after) if kind == "text")
    return f"{mantissa}E{sign}{abs(int(power)):0{width}}{around}"


def _as_fraction(value: float, section: _Section) -> str:
    """The value as a whole number and a fraction, as "# ?/?" and "# ?/8" have it."""
    at = section.tokens.index(("sign", "/"))
    after = section.tokens[at + 1 :]
    fixed = "".join(text for _, text in after if text.isdigit()).lstrip("0")
    width = sum(1 for kind, _ in after if kind == "digit")
    if fixed:
        bottom = int(fixed)
        top = round(value * bottom)
    else:
        near = Fraction(value).limit_denominator(10 ** min(max(width, 1), 5) - 1)
        top, bottom = near.numerator, near.denominator
    groups = "".join(text if kind == "digit" else " " for kind, text in section.tokens[:at]).split()
    if len(groups) < 2:
        return f"{top}/{bottom}"
    whole, top = divmod(top, bottom)
    parts = [str(whole)] if whole or not top else []
    return " ".join([*parts, f"{top}/{bottom}"] if top else parts)
