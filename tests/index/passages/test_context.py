from index.documents.builder import ContentBuilder
from index.documents.content import Content
from index.documents.document import Document, document_of
from index.documents.tables import DraftCell
from index.passages.context import Context, ContextOptions, Segment, row_context
from index.passages.layout import pack, unpack
from index.passages.passage import Passage
from index.passages.split import split_passages

HIVES = [
    [DraftCell("City", True), DraftCell("Hives", True), DraftCell("Keeper", True)],
    [DraftCell("Lyon"), DraftCell("18"), DraftCell("")],
    [DraftCell("Lille"), DraftCell("7"), DraftCell("Ann Lee")],
]


def hives() -> Content:
    builder = ContentBuilder()
    builder.title("Bees of France")
    builder.heading("Towns", 1)
    builder.paragraph("These towns keep bees:")
    builder.table(HIVES)
    return builder.build()


def split(document: Document, most: int, options: ContextOptions) -> tuple[Passage, ...]:
    return split_passages(
        document, lambda texts: [len(text.split()) for text in texts], most, options
    )


def test_a_row_is_given_with_its_heads_and_only_its_cells_can_be_quoted() -> None:
    content = hives()
    context = row_context(content.text, content.blocks[-1], ContextOptions())
    assert context.text == "City: Lille · Hives: 7 · Keeper: Ann Lee"
    assert [content.text[s.start : s.end] for s in context.segments] == ["Lille", "7", "Ann Lee"]
    at = context.text.index("Lee")
    start, end = context.place_of(at, at + 3) or (0, 0)
    assert content.text[start:end] == "Lee"
    for words in ("City", "7 · Keeper", "· "):
        at = context.text.index(words)
        assert context.place_of(at, at + len(words)) is None


def test_a_value_after_its_name() -> None:
    builder = ContentBuilder()
    builder.table([[DraftCell("Weight", True), DraftCell("2 kg"), DraftCell("3 kg")]])
    content = builder.build()
    assert row_context(content.text, content.blocks[0], ContextOptions()).text == (
        "Weight: 2 kg · 3 kg"
    )


def test_a_place_before_the_first_segment() -> None:
    assert Context("Title\nText", (Segment(6, 0, 4),)).place_of(0, 3) is None


def test_a_table_has_its_lead_in_and_the_headings_in_front() -> None:
    document = document_of(hives(), name="bees", source="bees.txt")
    (passage,) = split(document, 200, ContextOptions())
    assert passage.context.text == (
        "Bees of France\n\nTowns\n\nThese towns keep bees:\n\n"
        "City · Hives · Keeper\nCity: Lyon · Hives: 18\nCity: Lille · Hives: 7 · Keeper: Ann Lee"
    )
    assert passage.text == document.text


def test_parts_of_a_long_table_keep_its_lead_in_and_its_heads() -> None:
    document = document_of(hives(), name="bees", source="bees.txt")
    *_, last = split(document, 24, ContextOptions())
    assert last.context.text == (
        "Bees of France > Towns\nThese towns keep bees:\n"
        "City: Lyon · Hives: 18\nCity: Lille · Hives: 7 · Keeper: Ann Lee"
    )
    assert last.text == "Lyon\t18\nLille\t7\tAnn Lee"
    *_, bare = split(document, 12, ContextOptions(False, False, False, False))
    assert bare.context.text.endswith("Lille: 7 · Ann Lee")
    assert "Bees of France" not in bare.context.text


def test_every_part_of_a_context_leads_back_to_the_same_words() -> None:
    document = document_of(hives(), name="bees", source="bees.txt")
    for most in (8, 12, 24, 200):
        for passage in split(document, most, ContextOptions()):
            for at, start, end in passage.context.segments:
                assert passage.start <= start < end <= passage.end
                quoted = passage.context.text[at : at + end - start]
                assert quoted == document.text[start:end]
            packed = pack(passage)
            assert unpack("bees", passage.start, passage.text, packed) == passage
