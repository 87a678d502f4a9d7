"""Characters of the symbol fonts, which number their pictures as they like, as Unicode."""

from __future__ import annotations

BULLET = "•"
# The private characters U+F000 to U+F0FF are the font's characters 0 to 255.
_PRIVATE = range(0xF000, 0xF100)
_GREEK = dict(
    zip(
        map(ord, "ABGDEZHQIKLMNXOPRSTUFCYWabgdezhqiklmnxoprstufcyw"),
        "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩαβγδεζηθικλμνξοπρστυφχψω",
        strict=True,
    )
)
_SYMBOL = _GREEK | {
    **{0xA3: "≤", 0xA5: "∞", 0xAB: "↔", 0xAC: "←", 0xAD: "↑", 0xAE: "→", 0xAF: "↓", 0xB0: "°"},
    **{0xB1: "±", 0xB2: "″", 0xB3: "≥", 0xB4: "×", 0xB6: "∂", 0xB7: BULLET, 0xB8: "÷", 0xB9: "≠"},
    **{0xBA: "≡", 0xBB: "≈", 0xBC: "…", 0xC5: "⊕", 0xCE: "∈", 0xD2: "®", 0xD3: "©", 0xD4: "™"},
    **{0xD6: "√", 0xDB: "⇔", 0xDC: "⇐", 0xDE: "⇒", 0xE5: "∑", 0xF2: "∫"},
}
_WINGDINGS = {
    **{0x28: "☎", 0x2A: "✉", 0x4A: "☺", 0x6C: "●", 0x6E: "■", 0x6F: "☐", 0x71: "❑", 0x75: "◆"},
    **{0x76: "❖", 0x9F: BULLET, 0xA7: "▪", 0xA8: "☐", 0xD8: "➢", 0xDF: "←", 0xE0: "→", 0xE8: "➔"},
    **{0xF0: "⇨", 0xFB: "✗", 0xFC: "✓", 0xFD: "☒", 0xFE: "☑"},
}


def symbol(code: int, font: str) -> str:
    """The character of a symbol font in Unicode; "" where it is not known."""
    code = code - _PRIVATE.start if code in _PRIVATE else code
    name = font.lower()
    if name.startswith("symbol"):
        return _SYMBOL.get(code, chr(code) if 0x20 <= code < 0x7F else "")
    if name.startswith("wingdings"):
        return _WINGDINGS.get(code, "")
    return chr(code) if 0x20 <= code < 0x7F else ""


def bullet(text: str, font: str) -> str:
    """A list's bullet as a person sees it, • where it is a picture of a symbol font."""
    text = text.strip()
    if text == "o" and ("courier" in font.lower() or not font):
        return "◦"
    if len(text) == 1 and (ord(text) in _PRIVATE or font.lower().startswith(("symbol", "wing"))):
        return symbol(ord(text), font) or BULLET
    return text or BULLET
