"""What pages can show: our fonts' characters and those of fonts that are installed; what they cannot is said."""

import struct
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from activities.printouts.workshop import PrintJob, not_shown_in, write
from activities.reports import glyphs
from models.printouts.facts import PrintFormat
from tests.printouts.test_electronic_invoices import BUYER, SELLER, a_line, an_invoice

OURS = glyphs._FONTS


def as_collection(font: bytes) -> bytes:
    """Return a font as a collection of one, as the fonts of Chinese, Japanese and Korean come."""
    head = b"ttcf" + struct.pack(">III", 0x00010000, 1, 16)
    moved = bytearray(font)
    for at in range(struct.unpack_from(">H", font, 4)[0]):
        (offset,) = struct.unpack_from(">I", font, 12 + 16 * at + 8)
        struct.pack_into(">I", moved, 12 + 16 * at + 8, offset + len(head))
    return head + bytes(moved)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A server with Latin alone, and a folder for installed fonts."""
    own, installed = tmp_path / "own", tmp_path / "installed"
    for folder in (own, installed):
        folder.mkdir()
    (own / "NotoSans-Regular.ttf").symlink_to(OURS / "NotoSans-Regular.ttf")
    monkeypatch.setattr(glyphs, "_FONTS", own)
    monkeypatch.setattr(glyphs, "_INSTALLED", (installed,))
    monkeypatch.setattr(glyphs, "_EMOJI", (installed / "NotoColorEmoji.ttf",))
    forget()
    yield installed
    forget()


def forget() -> None:
    """Have fonts read anew."""
    glyphs._glyphs.cache_clear()
    glyphs._with_glyph.cache_clear()
    glyphs._emoji_alone.cache_clear()


def test_an_installed_collection_shows_what_our_fonts_do_not(folders: Path) -> None:
    before = (glyphs.shown("Ann שלום"), glyphs.shows_cjk(), glyphs.scripts_without_glyph(["Ann שלום", "שם"]))
    (folders / "NotoSansCJK-Regular.ttc").write_bytes(as_collection((OURS / "NotoSansHebrew-Regular.ttf").read_bytes()))
    forget()

    assert before == ("Ann ????", False, ["HEBREW"])
    assert (glyphs.shown("Ann שלום"), glyphs.shows_cjk(), glyphs.scripts_without_glyph(["Ann שלום"])) == (
        "Ann שלום",
        True,
        [],
    )
    assert glyphs.font_folders()[1:] == [str(folders)]


def test_the_font_of_emoji_is_taken_and_none_that_lies_beside_it(folders: Path) -> None:
    before = (glyphs.shown("Ann שלום"), glyphs.shows_emoji())
    for name in ("NotoColorEmoji.ttf", "NotoSans-Bold.ttf"):
        (folders / name).write_bytes((OURS / "NotoSansHebrew-Regular.ttf").read_bytes())
    forget()

    assert before == ("Ann ????", False)
    assert (glyphs.shown("Ann שלום"), glyphs.shows_emoji(), glyphs.shows_cjk()) == ("Ann שלום", True, False)
    [folder] = glyphs.font_folders()[1:]
    assert [one.name for one in Path(folder).iterdir()] == ["NotoColorEmoji.ttf"]


@pytest.mark.usefixtures("folders")
def test_a_document_says_what_its_pdf_does_not_show() -> None:
    invoice = an_invoice(a_line(1, 10000, name="山田 テスト 김 😀?"), a_line(2, 100, name="plain?"))

    assert not_shown_in(PrintJob(invoice, PrintFormat.PDF)) == ["CJK", "GRINNING", "HANGUL", "KATAKANA"]
    assert not_shown_in(PrintJob(an_invoice(a_line(1, 10000)), PrintFormat.PDF)) == []


def test_shapes_are_those_of_the_language_that_a_script_shows() -> None:
    texts = {"山田太郎テスト": "JP", "김 金": "KR", "王小明": "SC", "Ann": "SC"}

    assert {text: glyphs.cjk_family([text]).rpartition(" ")[2] for text in texts} == texts


def test_a_long_word_runs_over_no_amount_and_words_to_pay_by_stay_whole() -> None:
    reference = "RF18" + "0" * 21
    wide = replace(BUYER, name="N" * 200, street="S" * 200, city="C" * 100, reference=reference)
    facts = an_invoice(
        a_line(1, 10000, name="W" * 200), buyer=wide, seller=replace(SELLER, name="V" * 200, email="e" * 99)
    )

    pdf = write(PrintJob(facts, PrintFormat.PDF))

    lines = PdfReader(BytesIO(pdf)).pages[0].extract_text().splitlines()
    assert max(map(len, lines)) < 140
    assert [sum(line.count(letter) for line in lines) >= 200 for letter in "NSWV"] == [True] * 4
    assert any(reference in line for line in lines)
