"""Where characters stand: the rectangles of a stretch of text, and boxes from a hostile process."""

from __future__ import annotations

import base64
import json
import tracemalloc
import zlib
from typing import Any

import numpy as np
import pytest

from index.documents.blocks import BlockKind
from index.documents.boxes import (
    Boxes,
    BoxesBuilder,
    Origin,
    boxes_from_json,
    boxes_to_json,
)
from index.documents.builder import ContentBuilder
from index.documents.content import Content, content_from_json, content_to_json
from index.documents.tables import DraftCell

A4 = (595.0, 842.0)


def edges(*pairs: tuple[int, int]) -> Any:
    return np.array(pairs, np.int32)


def line(start: int, count: int, *, page: int = 0, turn: int = 0, low: int = 1000) -> Origin:
    """Characters of ten tenths of a point each, from the left edge at 500 on."""
    places = [(500 + 10 * at, 510 + 10 * at) for at in range(count)]
    return Origin(start, page, turn, low, low + 120, edges(*places))


def boxes_of(*origins: Origin, length: int = 100) -> Boxes:
    builder = BoxesBuilder()
    for origin in origins:
        builder.add(origin, 0)
    built = builder.build([A4, A4], length)
    assert built is not None
    return built


def test_a_stretch_of_text_has_a_rectangle_on_each_of_its_lines() -> None:
    boxes = boxes_of(line(0, 10), line(11, 10, low=800), line(30, 5, page=1))
    assert boxes.rectangles(2, 5) == [(0, 52.0, 100.0, 55.0, 112.0)]
    assert boxes.rectangles(8, 33) == [
        (0, 58.0, 100.0, 60.0, 112.0),
        (0, 50.0, 80.0, 60.0, 92.0),
        (1, 50.0, 100.0, 53.0, 112.0),
    ]
    assert boxes.page_size(1) == A4


def test_what_stands_nowhere_has_no_rectangle() -> None:
    boxes = boxes_of(line(5, 5), Origin(20, 0, 0, 0, 10, edges((5, 5), (5, 15))))
    assert boxes.rectangles(0, 5) == boxes.rectangles(10, 20) == boxes.rectangles(7, 7) == []
    assert boxes.rectangles(20, 21) == []
    assert boxes.rectangles(20, 22) == [(0, 0.5, 0.0, 1.5, 1.0)]
    assert boxes_of().rectangles(0, 100) == []


def test_runs_beside_each_other_on_a_line_have_one_rectangle() -> None:
    near = Origin(11, 0, 0, 1000, 1120, edges((610, 620), (620, 630)))
    far = Origin(20, 0, 0, 1000, 1120, edges((1610, 1620)))
    assert boxes_of(line(0, 10), near, far).rectangles(0, 30) == [
        (0, 50.0, 100.0, 63.0, 112.0),
        (0, 161.0, 100.0, 162.0, 112.0),
    ]


@pytest.mark.parametrize(
    ("turn", "rectangle"),
    [
        (0, (0, 50.0, 20.0, 51.0, 32.0)),
        (1, (0, -32.0, 50.0, -20.0, 51.0)),
        (2, (0, -51.0, -32.0, -50.0, -20.0)),
        (3, (0, 20.0, -51.0, 32.0, -50.0)),
    ],
)
def test_the_rectangle_of_a_line_that_is_turned(turn: int, rectangle: tuple[float, ...]) -> None:
    assert boxes_of(line(0, 1, turn=turn, low=200)).rectangles(0, 1) == [rectangle]


def written() -> Content:
    builder = ContentBuilder()
    builder.title("On walls", origins=[line(0, 8)])
    builder.paragraph("It fell.\nSoon.", origins=[line(0, 8, low=800), line(9, 5, low=600)])
    builder.add(BlockKind.LIST_ITEM, " ropes ", origins=[line(1, 5, low=500)])
    cell = DraftCell("412", origins=(line(0, 3, low=400),))
    builder.table([[DraftCell("Metres", True)], [cell]])
    return builder.build(page_sizes=[A4])


def test_the_builder_moves_origins_to_where_the_text_is() -> None:
    content = written()
    assert content.boxes is not None
    for words, bottom in (("walls", 100.0), ("Soon.", 60.0), ("ropes", 50.0), ("412", 40.0)):
        start = content.text.index(words)
        ((_, left, low, right, _),) = content.boxes.rectangles(start, start + len(words))
        assert (low, right - left) == (bottom, float(len(words)))


def test_origins_of_a_text_that_the_builder_changes_are_dropped() -> None:
    builder = ContentBuilder()
    builder.heading("On \n walls", 1, origins=[line(0, 10)])
    builder.paragraph("It\r\nfell.", origins=[line(0, 9)])
    builder.table([[DraftCell("a  b", origins=(line(0, 4),))]])
    content = builder.build(page_sizes=[A4])
    assert content.boxes is not None and len(content.boxes.runs) == 0


def test_boxes_come_whole_over_the_process_boundary() -> None:
    content = written()
    value = json.loads(json.dumps(content_to_json(content)))
    read = content_from_json(value)
    assert read == content and read.boxes is not None and content.boxes is not None
    assert read.boxes.rectangles(0, 99) == content.boxes.rectangles(0, 99)
    assert boxes_from_json(json.loads(json.dumps(boxes_to_json(None))), 9) is None


def packed(values: Any, kind: str) -> str:
    return base64.b64encode(zlib.compress(np.array(values, kind).tobytes())).decode()


RUN = [0, 3, 0, 0, 10, 20, 5]


def said(**changes: Any) -> dict[str, Any]:
    """The value of the boxes of a text of three characters, with something changed."""
    parts = {"sizes": [[5950, 8420]], "rows": [RUN], "edges": [[0, 9]] * 3} | changes
    return {
        "pages": changes.get("pages", len(parts["sizes"])),
        "runs": changes.get("runs", len(parts["rows"])),
        "arrays": [
            packed(parts["sizes"], "<i4"),
            packed(parts["rows"], "<i4"),
            packed(parts["edges"], "<u2"),
        ],
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": [[0, 4, 0, 0, 10, 20, 5]], "edges": [[0, 9]] * 4},
        {"rows": [[-1, 2, 0, 0, 10, 20, 5]]},
        {"rows": [[3, 0, 0, 0, 10, 20, 5]]},
        {"rows": [[0, 2, 0, 0, 10, 20, 5], [1, 2, 0, 0, 10, 20, 5]]},
        {"rows": [[0, 2**31 - 1, 0, 0, 10, 20, 5], [-(2**31), 3, 0, 0, 10, 20, 5]]},
        {"rows": [[0, 3, 1, 0, 10, 20, 5]]},
        {"rows": [[0, 3, -1, 0, 10, 20, 5]]},
        {"rows": [[0, 3, 0, 4, 10, 20, 5]]},
        {"rows": [[0, 3, 0, 0, 30, 20, 5]]},
        {"rows": [[0, 3, 0, 0, 10, 2**31 - 1, 5]]},
        {"rows": [[0, 3, 0, 0, -(2**31), 20, 5]]},
        {"edges": [[0, 9]] * 2},
        {"edges": [[0, 9]] * 4},
        {"sizes": [[0, 8420]]},
        {"sizes": [[2**31 - 1, 8420]]},
        {"pages": 2},
        {"pages": 0},
        {"pages": 10**12},
        {"runs": 2},
        {"runs": -1},
        {"runs": 10**12},
        {"runs": "1"},
    ],
)
def test_boxes_that_are_none_of_the_text_are_refused(changes: dict[str, Any]) -> None:
    assert boxes_from_json(said(), 3) is not None
    with pytest.raises(ValueError, match=r"\w"):
        boxes_from_json(said(**changes), 3)


@pytest.mark.parametrize("packing", ["***", base64.b64encode(b"no zlib").decode()])
def test_boxes_that_cannot_be_unpacked_are_refused(packing: str) -> None:
    value = said()
    value["arrays"][2] = packing
    with pytest.raises(ValueError, match="unpacked"):
        boxes_from_json(value, 3)


def test_packed_arrays_that_are_too_large_are_not_unpacked() -> None:
    value = said()
    value["arrays"][2] = base64.b64encode(zlib.compress(bytes(200_000_000), 1)).decode()
    tracemalloc.start()
    with pytest.raises(ValueError, match="another size"):
        boxes_from_json(value, 3)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


def test_a_million_characters_take_a_few_megabytes() -> None:
    builder = ContentBuilder()
    for page in range(500):
        origins = [line(80 * at, 80, page=page, low=20 * at) for at in range(25)]
        builder.paragraph("x" * 2000, page_starts=[(0, page)], origins=origins)
    content = builder.build(page_sizes=[A4] * 500)
    value = json.dumps(content_to_json(content))
    tracemalloc.start()
    read = content_from_json(json.loads(value))
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert read.boxes is not None and len(read.boxes.edges) == 1_000_000
    assert read.boxes.rectangles(0, 2)
    assert size < 10_000_000
