"""The documentation names only what exists: links, anchors, paths, options, modules and make targets."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.conftest import ROOT

DOCS = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "training/README.md",
    ROOT / "models/reader/README.md",
]
SOURCES = (
    *("app.py", "ask_the_article", "index", "qa", "evaluation", "page"),
    *("training", "benchmarks", "tests/torture"),
)
ROOMS = ("articles", "benchmarks", "docs", "index", "models", "page", "qa", "tests", "training")

OPTION = re.compile(r"(?<![\w-])--([a-z][a-z0-9-]*)")
REPOSITORY_PATH = re.compile(rf"^(?:{'|'.join(ROOMS)})/[\w./-]*$")
MODULE = re.compile(r"python -m ([a-z_]+(?:\.[a-z_]+)*)")
TARGET = re.compile(r"(?<![\w-])make ([a-z][a-z-]*)(?=[\s`\"),;.:]|$)")


def tokens(text: str) -> Iterator[Token]:
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        yield token
        yield from token.children or []


def links(text: str) -> list[str]:
    """The addresses of links and images."""
    found = [token.attrGet("href") or token.attrGet("src") for token in tokens(text)]
    return [str(address) for address in found if address]


def code(text: str) -> list[str]:
    """Inline code and code blocks."""
    return [t.content for t in tokens(text) if t.type in ("code_inline", "fence", "code_block")]


@cache
def anchors(path: Path) -> set[str]:
    """The anchors of a file's headings, as GitHub makes them."""
    found = list(tokens(path.read_text(encoding="utf-8")))
    headings = [
        following.content
        for token, following in zip(found, found[1:], strict=False)
        if token.type == "heading_open"
    ]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(path: Path, text: str) -> list[str]:
    broken = []
    for address in links(text):
        if re.match(r"[a-z]+:", address):
            continue
        name, _, anchor = address.partition("#")
        target = path.parent / name if name else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(address)
    return broken


def missing_paths(text: str) -> list[str]:
    """Paths in inline code that begin with a folder of the repository and are not in it."""
    named = (t.content for t in tokens(text) if t.type == "code_inline")
    return [name for name in named if REPOSITORY_PATH.match(name) and not (ROOT / name).exists()]


def options_of(tree: ast.AST) -> Iterator[str]:
    """The options that a Python file defines; "" for one whose name is computed."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument":
            name = node.args[0]
            yield str(name.value) if isinstance(name, ast.Constant) else ""


def fields_of(tree: ast.AST) -> Iterator[str]:
    """The options that would be made of a Python file's annotated fields."""
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name = node.target.id.replace("_", "-")
            yield f"--{name}"
            if isinstance(node.annotation, ast.Name) and node.annotation.id == "bool":
                yield f"--no-{name}"


@cache
def known_options() -> frozenset[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    known = {"--help", *(f"--{name}" for name in OPTION.findall(makefile))}
    for room in SOURCES:
        paths = [ROOT / "app.py"] if room == "app.py" else (ROOT / room).rglob("*.py")
        trees = [ast.parse(path.read_text(encoding="utf-8")) for path in paths]
        options = {option for tree in trees for option in options_of(tree)}
        if "" in options:  # the training recipe's options are made of a dataclass's fields
            options |= {option for tree in trees for option in fields_of(tree)}
        known |= {option for option in options if option.startswith("--")}
    return frozenset(known)


def unknown_options(text: str) -> list[str]:
    named = {f"--{name}" for part in code(text) for name in OPTION.findall(part)}
    return sorted(named - known_options())


def unknown_modules(text: str) -> list[str]:
    missing = []
    for name in {name for part in code(text) for name in MODULE.findall(part)}:
        path = ROOT / name.replace(".", "/")
        if not (path.with_suffix(".py").exists() or (path / "__main__.py").exists()):
            missing.append(name)
    return missing


def unknown_targets(text: str) -> list[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    return sorted({name for part in code(text) for name in TARGET.findall(part)} - targets)


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_everything_named_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert broken_links(path, text) == []
    assert missing_paths(text) == []
    assert unknown_options(text) == []
    assert unknown_modules(text) == []
    assert unknown_targets(text) == []


def test_the_checks_find_what_is_missing() -> None:
    readme = ROOT / "README.md"
    assert broken_links(readme, "[a](docs/usage.md) [b](docs/none.md) ![c](docs/none.png)") == [
        "docs/none.md",
        "docs/none.png",
    ]
    assert broken_links(readme, "[a](docs/usage.md#the-page) [b](docs/usage.md#none)") == [
        "docs/usage.md#none"
    ]
    assert missing_paths("`qa/` `qa/none.py` `none/other.py`") == ["qa/none.py"]
    assert unknown_options("`app.py --port 1 --no-such` ```x``` `--no-autocast`") == ["--no-such"]
    assert unknown_modules("`python -m qa ask` and `python -m qa.none`") == ["qa.none"]
    assert unknown_targets("`make run ARGS=…` and `make coffee`") == ["coffee"]


def test_the_options_are_those_of_the_programs() -> None:
    assert {"--article", "--store", "--shard", "--dropout", "--no-with-extra"} <= known_options()
    assert len(known_options()) > 40


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


def test_the_readme_links_to_every_document() -> None:
    linked = {
        address.partition("#")[0] for address in links((ROOT / "README.md").read_text("utf-8"))
    }
    documents = {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")}
    assert documents - linked == set()
