"""Titles and authors that a person has given, told from those that a program has filled in."""

import pytest

from index.documents.cleaning import given_author, given_title


@pytest.mark.parametrize(
    "title",
    [
        *(None, "", "ab", "Untitled", "Document 1", "PowerPoint Presentation", "Workbook1"),
        *("cv_final.docx", "Accounts.xlsm", "talk.pptx", "template.dotx", "rows.tsv", "Mappe1"),
    ],
)
def test_a_title_that_a_program_made_is_none(title: str | None) -> None:
    assert given_title(title) == ""


@pytest.mark.parametrize(
    "title", ["A garden  year", "Document the walls", "Sheet music for two", "Node.js"]
)
def test_a_title_that_a_person_gave_is_one(title: str) -> None:
    assert given_title(title) == " ".join(title.split())


@pytest.mark.parametrize(
    "author",
    [None, "", "python-docx", "openpyxl", "Microsoft Office User", "Administrator", "User"],
)
def test_an_author_that_a_program_filled_in_is_none(author: str | None) -> None:
    assert given_author(author) == ""


@pytest.mark.parametrize("author", ["Ines  Brandt", "Microsoft Corporation", "Author Mai Holm"])
def test_an_author_that_is_named_is_one(author: str) -> None:
    assert given_author(author) == " ".join(author.split())
