"""What a Markdown file says of itself before its text, in YAML or TOML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

# More than a page of fields is no front matter, and the YAML parser is slow.
MAX_CHARACTERS = 20_000
# Aliases can make a short list of lists a very long one.
MAX_VALUES = 1_000
# A field, an entry of a list, a line that goes on with the one above, or a comment.
_YAML_LINE = re.compile(r"[\w\"'][^:\n]{0,60}:(?:\s|$)|-(?:\s|$)|\s|#|$")
_TOML_FIELD = re.compile(r"[ \t]*([\w.-]+)[ \t]*=[ \t]*(.*)")


def split_front_matter(text: str) -> tuple[dict[str, str], str]:
    """The fields in front of a text, in their order with each value as it is written, and the text.

    There are no fields where the text does not begin with a line `---` or `+++`, or where the lines
    up to the next such line are not fields.
    """
    fence, _, rest = text.partition("\n")
    fence = fence.rstrip()
    if fence not in ("---", "+++"):
        return {}, text
    lines = rest[:MAX_CHARACTERS].split("\n")
    ends = ("---", "...") if fence == "---" else ("+++",)
    end = next((number for number, line in enumerate(lines) if line.rstrip() in ends), None)
    if end is None:
        return {}, text
    fields = _yaml_fields(lines[:end]) if fence == "---" else _toml_fields(lines[:end])
    if fields is None:
        return {}, text
    return fields, rest[sum(len(line) + 1 for line in lines[: end + 1]) :]


def _yaml_fields(lines: list[str]) -> dict[str, str] | None:
    if not lines or not all(map(_YAML_LINE.match, lines)):
        return None
    try:
        # This loader makes a string of every value, dates and numbers too.
        values = yaml.load("\n".join(lines), Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError, ValueError):
        return None
    if not isinstance(values, dict):
        return None
    fields: dict[str, str] = {}
    for key, value in values.items():
        found = []
        for words in _strings(value, 0):
            found.append(words)
            if len(found) > MAX_VALUES:
                return None
        fields[", ".join(_strings(key, 0))] = ", ".join(filter(None, found))
    return fields


def _strings(value: Any, depth: int) -> Iterator[str]:
    """The strings in a value, those of a mapping after their keys."""
    if depth > 5:
        return
    if isinstance(value, dict):
        for key, one in value.items():
            for words in _strings(one, depth + 1):
                yield f"{key}: {words}"
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _strings(one, depth + 1)
    else:
        yield str(value)


def _toml_fields(lines: list[str]) -> dict[str, str] | None:
    """The fields of TOML's simplest form, which front matter has; other lines are values, too."""
    fields: dict[str, str] = {}
    last = ""
    for line in lines:
        found = _TOML_FIELD.match(line)
        if found:
            last = found[1]
            fields[last] = found[2].strip().strip("[]\"'")
        elif last and line.strip():
            fields[last] = f"{fields[last]} {line.strip()}"
        elif line.strip():
            return None
    return fields
