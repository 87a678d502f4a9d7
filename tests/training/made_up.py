"""A tiny published data set, in the files that the builder reads."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

PEOPLE = ("ann", "bob", "cat", "dan", "eve", "fay")
PLACES = ("the red house", "the blue house", "a green house", "the red barn", "a mill", "a cave")


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("\n".join(json.dumps(row) for row in rows).encode()))
    return path


def answer(context: str, text: str) -> dict[str, Any]:
    return {"text": text, "answer_start": context.index(text)}


def squad_file(path: Path) -> Path:
    """Three articles of six people and where they live; the first by name is held out."""
    data = []
    for title in "one", "three_people", "two":
        paragraphs = []
        for number, (person, place) in enumerate(zip(PEOPLE, PLACES, strict=True)):
            text = f"In {number} {person} lives in {place}. No one visited {person}."
            key = f"{title}-{person}"
            paragraphs.append(
                {
                    "context": text,
                    "qas": [
                        {
                            "id": f"{key}-where",
                            "question": f"where lives {person}?",
                            "answers": [answer(text, place)],
                        },
                        {"id": f"{key}-who", "question": f"who won {person}?", "answers": []},
                    ],
                }
            )
        data.append({"title": title, "paragraphs": paragraphs})
    path.write_bytes(gzip.compress(json.dumps({"version": "2.0", "data": data}).encode()))
    return path


def extra_rows() -> list[dict[str, Any]]:
    text = "We keep no name. We keep the number."
    return [
        {
            "id": f"extra-{title}",
            "source": "policyqa",
            "title": title,
            "context": text,
            "question": "what is kept?",
            "answers": [answer(text, "the number")],
        }
        for title in ("a.com", "b.com")
    ]


def reading_folder(folder: Path) -> Path:
    """One or two rows of each of the other sets."""
    context = "The Tiber, or Tevere, flows through Rome."
    span = {"source": "nq_oracle", "title": "Rome", "context": context, "id": "nq/1"}
    write_jsonl(
        folder / "spans.jsonl.gz",
        [
            {
                **span,
                "question": "what flows through rome?",
                "answers": [answer(context, "The Tiber"), answer(context, "Tiber")],
                "may_be_list": True,
            },
            {
                **span,
                "id": "nq/2",
                "question": "names of the river?",
                "answers": [answer(context, "Tevere"), answer(context, "Tiber")],
                "may_be_list": True,
            },
        ],
    )
    context = "Smith and Chambers plan it. Nick knows."
    write_jsonl(
        folder / "lists.jsonl.gz",
        [
            {
                "id": "quoref/1",
                "source": "quoref",
                "title": "Film",
                "context": context,
                "question": "Who plan it?",
                "answers": [answer(context, "Chambers"), answer(context, "Smith")],
                "all_required": True,
            }
        ],
    )
    page = "Gout\n\nCauses\nIt is caused by food. It comes at night.\n\nOutlook\nIt passes."
    turns = "A: Well. Yes.\nB: I like cheese. And bread.\nA: Hmm."
    write_jsonl(
        folder / "explanations.jsonl.gz",
        [
            {
                "id": "medquad/1",
                "source": "medquad",
                "title": "Gout",
                "context": page,
                "question": "What causes gout?",
                "answers": [answer(page, "It is caused by food. It comes at night.")],
            },
            {
                "id": "qmsum/1",
                "source": "qmsum",
                "title": "Meeting X1",
                "context": turns,
                "question": "What did B say?",
                "answers": [answer(turns, "B: I like cheese. And bread.")],
            },
        ],
    )
    context = "Bring a photo. It is free."
    write_jsonl(
        folder / "conversation.jsonl.gz",
        [
            {
                "id": "doc2dial/1",
                "source": "doc2dial",
                "title": "Cards#3_0",
                "document": "doc2dial/0",
                "context": context,
                "history": [["hello", "hi"], ["what do I bring?", "A photo."]],
                "question": "What does it cost?",
                "answers": [answer(context, "It is free.")],
            }
        ],
    )
    write_jsonl(
        folder / "tables.jsonl.gz",
        [
            {
                "id": "wikitablequestions/1",
                "source": "wikitablequestions",
                "title": "Hives",
                "table": [["City", "Hives"], ["Lyon", "18"], ["Lille", "7"]],
                "question": "how many hives has Lyon?",
                "cells": [[1, 1]],
                "answers": ["18"],
            }
        ],
    )
    return folder
