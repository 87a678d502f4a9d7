import pytest

from index.documents.content import MAX_BYTES, MAX_FILE_BYTES
from index.documents.formats import extract, format_of
from index.errors import DocumentError
from tests.index.documents.samples import column, pdf, word

PAGE = "<!doctype html><title>Post</title><h1>Harbour reopens after storm</h1><p>It was mended.</p>"

# One in the letters of each, and what a page in them might say.
LANGUAGES = [
    "Маяк города был построен в 1890 году. В июне гавань открылась снова, и все были рады.",
    "تأسست مدينة القاهرة عام 969 على يد القائد جوهر الصقلي. وهي اليوم أكبر مدينة في البلاد.",
    "灯塔建于一八九〇年。港口在六月重新开放，渡轮载着两百人离开，城里的人都很高兴。",
    "등대는 1890년에 세워졌다. 항구는 유월에 다시 열렸고 모두가 기뻐했다고 한다.",
]


def says(data: bytes, name: str) -> str:
    """The sentence that refuses a file."""
    with pytest.raises(DocumentError) as refused:
        extract(data, name)
    sentence = str(refused.value)
    assert sentence.startswith(f"'{name}' ") and sentence.endswith(".") and ": " in sentence
    assert "\n" not in sentence and "Error" not in sentence
    return sentence


# Which format it is


@pytest.mark.parametrize("name", ["a.txt", "a.html", "a.pdf", "a.docx", "a.md", "a", ""])
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(PAGE.encode(), id="html"),
        pytest.param(pdf(column("Harbour reopens after storm")), id="pdf"),
        pytest.param(word(lambda d: d.add_paragraph("Harbour reopens after storm")), id="docx"),
    ],
)
def test_clear_bytes_count_more_than_the_name(data: bytes, name: str) -> None:
    assert extract(data, name).text.startswith("Harbour reopens after storm")


@pytest.mark.parametrize(
    "beginning",
    [
        "<!DOCTYPE html>",
        "<HTML lang=en>",
        '\ufeff<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML">',
        "\n<!-- saved from the web -->\n<!-- twice --><html>",
        "<body>",
    ],
)
def test_a_page_is_known_by_how_it_begins(beginning: str) -> None:
    page = f"{beginning}<p>The lamp was lit.</p><p>It was {'very ' * 100}bright.</p>"
    assert extract(page.encode(), "a.txt").text.startswith("The lamp was lit.\n\nIt was very")


@pytest.mark.parametrize(
    "text",
    [
        "PKI stands for public key infrastructure.",
        "A PDF begins with %PDF-1.7 and then has objects.",
        "<p align=center>A README</p>\n\n# Title",
        "<!-- a comment -->\n\n# Title",
        "<header> is a tag of HTML.",
        "{\\ is a bracket and a backslash.",
    ],
)
def test_text_that_speaks_of_formats_is_text(text: str) -> None:
    assert extract(text.encode(), "a.txt").text == text
    assert format_of(text.encode(), "a.txt") == "text"
    assert format_of(text.encode(), "a.md") == "markdown"


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html", "a.pdf", "a.docx"])
@pytest.mark.parametrize("data", [b"", b" \r\n\t"])
def test_an_empty_file_is_empty_whatever_its_name(data: bytes, name: str) -> None:
    assert says(data, name) == f"'{name}' is empty: open a file that has some text in it."


def _old_office(stream: str) -> bytes:
    """A file of the old container of Office, as far as its streams' names go."""
    return (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + stream.encode("utf-16-le") + bytes(600)
    )


@pytest.mark.parametrize(
    ("data", "name", "sentence"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "a.doc", "of an Office before 2007"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
            + bytes(600)
            + "EncryptedPackage".encode("utf-16-le")
            + bytes(600),
            "a.docx",
            "has a password: save a copy without one",
        ),
        (_old_office("WordDocument"), "a.doc", "save it as .docx and"),
        (_old_office("Workbook"), "a.xls", "before 2007: save it as .xlsx and"),
        (_old_office("PowerPoint Document"), "a.ppt", "save it as .pptx and"),
        (b"{\\rtf1\\ansi The lamp.}", "a.rtf", "rich text (RTF): save it as .docx"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "a.png", "is not text: save it as plain text"),
    ],
)
def test_other_formats_are_named(data: bytes, name: str, sentence: str) -> None:
    assert sentence in says(data, name)


def test_text_may_be_shorter_than_what_brings_pictures_along() -> None:
    assert "has 5.0 MB and the limit is 5 MB" in says(b"x" * (MAX_BYTES + 1), "a.txt")
    assert "is a damaged PDF" in says(b"%PDF-1.7" + b" " * (MAX_BYTES) + b"%%EOF", "a.pdf")
    assert "has 20.0 MB and the limit is 20 MB" in says(b"%PDF-" + b"x" * MAX_FILE_BYTES, "a.pdf")


# Every format


@pytest.mark.parametrize("text", LANGUAGES)
def test_other_letters_in_text_pages_and_word_documents(text: str) -> None:
    assert extract(text.encode(), "a.txt").text == text
    assert extract(f"<!doctype html><p>{text}</p>".encode(), "a.html").text == text
    assert extract(word(lambda document: document.add_paragraph(text)), "a.docx").text == text


# Encodings


GERMAN = (
    "Die Wärter öffneten früh am Morgen die Tür zum Leuchtturm. „Schöne Grüße“, sagte Jürgen, und er "
    "schloß das Gewölbe über der Straße. Spaß – ja! Die Bürger hörten, daß die Fähre später käme."
)
FRENCH = (
    "Le phare fut allumé à l'été 1890. « Voilà », dit-elle : le gardien était déjà là, près de "
    "l'entrée, où les élèves étudiaient. Ça coûte très cher, à la fenêtre du château, même en août."
)
RUSSIAN = (
    "Маяк города был построен в 1890 году. В июне гавань открылась снова, и все были рады. Смотритель "
    "сказал: «Ещё один день — и корабль уйдёт». Съёмка, объём и подъезд находились рядом с площадью."
)


@pytest.mark.parametrize("text", [GERMAN, FRENCH, RUSSIAN], ids=["German", "French", "Russian"])
@pytest.mark.parametrize("bad", [b"\xe4", b"\x80", b"\xff", b"\xc3"])
def test_one_bad_byte_leaves_the_rest_of_utf_8(text: str, bad: bytes) -> None:
    data = text.encode()
    for at in range(0, len(data), 7):
        read = extract(data[:at] + bad + data[at + 1 :], "a.txt").text
        assert read.startswith(data[: max(0, at - 3)].decode("utf-8", "ignore"))
        assert read.endswith(data[at + 4 :].decode("utf-8", "ignore"))
        assert abs(len(read) - len(text)) <= 3 and read.count("\ufffd") <= 4


@pytest.mark.parametrize("text", [GERMAN, FRENCH, RUSSIAN], ids=["German", "French", "Russian"])
def test_utf_8_cut_off_in_a_character_is_utf_8(text: str) -> None:
    data = text.encode()
    inside = [at for at in range(1, len(data)) if data[at] & 0xC0 == 0x80 and at > 20]
    assert len(inside) > 10
    for at in inside:
        whole = data[:at].decode("utf-8", "ignore")
        assert extract(data[:at], "a.txt").text == whole + "\ufffd"
        rest = extract(data[at:], "a.txt").text if len(data) - at > 60 else "\ufffd"
        assert rest.startswith("\ufffd")


@pytest.mark.parametrize(
    ("text", "encoding", "certain"),
    [
        (GERMAN, "cp1252", "Schöne Grüße"),
        (GERMAN.replace("„", '"').replace("“", '"').replace("–", "-"), "latin-1", "Gewölbe"),
        (FRENCH, "cp1252", "les élèves étudiaient"),
        (FRENCH, "latin-1", "même en août"),
        (RUSSIAN, "cp1251", "открылась снова"),
        (RUSSIAN.replace("«", '"').replace("»", '"').replace("—", "-"), "koi8-r", "были рады"),
    ],
)
def test_older_encodings_are_still_guessed(text: str, encoding: str, certain: str) -> None:
    assert certain in extract(text.encode(encoding), "a.txt").text


def test_a_few_characters_beyond_ascii_are_enough() -> None:
    read = extract("It’s “naïve”, he said: x€.".encode().replace(b"x", b"\x93"), "a.txt")
    assert read.text == "It’s “naïve”, he said: \ufffd€."
    # The only character beyond ASCII may well be whole in another encoding.
    assert extract("A cup of tea in the café".encode("cp1252"), "a.txt").text.endswith("café")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (LANGUAGES[0], "cp866"),
        (LANGUAGES[1], "cp1256"),
        (LANGUAGES[2], "gb18030"),
        (LANGUAGES[3], "euc-kr"),
        ("ประภาคารของเมืองสร้างขึ้นในปี พ.ศ. 2433 ท่าเรือเปิดอีกครั้งและทุกคนก็ดีใจ", "cp874"),
        ("灯台は1890年に建てられました。六月に港がまた開かれ、みんなが喜びました。", "euc-jp"),
        ("灯台は1890年に建てられました。六月に港がまた開かれ、みんなが喜びました。", "shift_jis"),
    ],
)
def test_other_encodings_are_not_taken_for_utf_8(text: str, encoding: str) -> None:
    assert "\ufffd" not in extract(text.encode(encoding), "a.txt").text
