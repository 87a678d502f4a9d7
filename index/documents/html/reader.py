"""A web page in, its blocks out, with its main text told from what is around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from index.documents.blocks import BlockKind
from index.documents.builder import ContentBuilder
from index.documents.content import Content
from index.documents.html.blocks import Draft, page_blocks
from index.documents.html.main_text import extract_main, main_blocks
from index.documents.html.metadata import page_metadata, page_titles
from index.documents.html.tree import asks_for_more, drop_unseen, parse_page
from index.errors import DocumentError

# On a page that asks for a password or for scripts, a shorter text says no more than that it does.
MIN_TEXT = 200
# A term under deeper headings is not told from them.
MAX_TERM_LEVEL = 7


def read_html(page: str, source: str) -> Content:
    """Read a page: its main text, and what is around it as boilerplate, but no menus and adverts.

    Raises DocumentError where the page has no text of its own, or is nested too deep.
    """
    tree = parse_page(page, source)
    length = 0
    if tree is not None:
        titles, metadata = page_titles(tree), page_metadata(tree)
        asks_more = asks_for_more(tree)
        drop_unseen(tree)
        body = tree.find("body")
        drafts = page_blocks(tree if body is None else body)
        title = _title_block(drafts, titles)
        main = main_blocks(drafts, extract_main(tree), title)
        length = sum(len(d.text) for d, is_main in zip(drafts, main, strict=True) if is_main)
        if asks_more and length < MIN_TEXT:
            length = 0
    if not length:
        raise DocumentError(
            f"'{source}' has no article that can be told from the page around it: copy the text in "
            "your browser and paste it."
        )
    builder = ContentBuilder()
    _write(builder, drafts, main, title)
    named = titles[0] if titles else ""
    if title is not None and title.text in named:
        named = title.text
    return builder.build(title=named, metadata=metadata)


def add_html(builder: ContentBuilder, page: str, source: str) -> None:
    """Write all blocks of a page that is part of a document, such as a chapter, without telling a title.

    Raises DocumentError where the page is nested too deep.
    """
    tree = parse_page(page, source)
    if tree is None:
        return
    drop_unseen(tree)
    body = tree.find("body")
    drafts = page_blocks(tree if body is None else body)
    _write(builder, drafts, [True] * len(drafts), None)


def _title_block(drafts: Sequence[Draft], titles: Sequence[str]) -> Draft | None:
    """The heading that is the page's title: the one that its head names, or the only one of level 1."""
    headings = [d for d in drafts if d.kind is BlockKind.HEADING and d.list is None]
    named = [d for d in headings if any(_is_title(d.text, title) for title in titles)]
    if named:
        return min(named, key=lambda draft: draft.level)
    highest = [d for d in headings if d.level == 1]
    # One further down has a part of the page below it.
    is_first = (
        bool(highest) and next(d for d in headings if d.aside is highest[0].aside) is highest[0]
    )
    return highest[0] if is_first and len(highest) == 1 else None


def _is_title(heading: str, title: str) -> bool:
    """Whether a heading is a page's title, which may have the site's name besides."""
    heading = " ".join(heading.split())
    return len(heading) > 2 and heading in title and 2 * len(heading) >= len(title.split(" | ")[0])


def _write(
    builder: ContentBuilder, drafts: Sequence[Draft], main: Sequence[bool], title: Draft | None
) -> None:
    last_list: Any = None
    terms: list[tuple[Any, int]] = []  # open definition lists, and the level of their terms
    for draft, is_main in zip(drafts, main, strict=True):
        if draft.closes is not None:
            if terms and terms[-1][0] is draft.closes:
                builder.end_section(terms.pop()[1])
            continue
        if draft.list is not last_list:
            builder.end_list()
            last_list = draft.list
        if draft is title:
            builder.title(draft.text)
        elif not is_main:
            _write_beside(builder, draft)
        elif draft.kind is BlockKind.HEADING and draft.list is not None:
            if not terms or terms[-1][0] is not draft.list:
                terms.append((draft.list, min(builder.level + 1, MAX_TERM_LEVEL)))
            builder.heading(draft.text, terms[-1][1])
        else:
            _write_main(builder, draft)


def _write_main(builder: ContentBuilder, draft: Draft) -> None:
    if draft.rows:
        builder.table(draft.rows)
    elif draft.kind is BlockKind.HEADING:
        builder.heading(draft.text, draft.level)
    elif draft.kind is BlockKind.LIST_ITEM:
        builder.list_item(draft.text, depth=draft.level, marker=draft.marker)
    else:
        builder.add(draft.kind, draft.text)


def _write_beside(builder: ContentBuilder, draft: Draft) -> None:
    if not draft.rows:
        builder.add(BlockKind.BOILERPLATE, draft.text)
    for row in draft.rows:
        builder.add(BlockKind.BOILERPLATE, "\t".join(cell.text for cell in row if cell.text))
