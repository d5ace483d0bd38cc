"""Which characters pages can show: those of our fonts, and of installed ones for Chinese, Japanese, Korean, emoji."""

import atexit
import shutil
import struct
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

# Fonts of our own: what a server has installed would make other pages on other servers.
_FONTS = Path(__file__).parent.parent / "printouts" / "fonts"
# Those of Chinese, Japanese and Korean are too large to be kept here (40 MB): Debian's package, Fedora's, Arch's.
_INSTALLED = tuple(
    Path("/usr/share/fonts") / folder for folder in ("opentype/noto", "google-noto-sans-cjk-fonts", "noto-cjk")
)
_CJK = "NotoSansCJK-*.tt[cf]"
CJK_PACKAGE = "fonts-noto-cjk"
# The same of emoji, 11 MB. Their folders may have other fonts, in other versions than ours: theirs is taken alone.
_EMOJI = tuple(
    Path("/usr/share/fonts") / folder / "NotoColorEmoji.ttf"
    for folder in ("truetype/noto", "google-noto-color-emoji-fonts", "noto")
)
EMOJI_PACKAGE = "fonts-noto-color-emoji"
# The same characters have other shapes in each of these countries; what is neither Japanese nor Korean is Chinese.
_JAPANESE, _KOREAN, _CHINESE = "Noto Sans CJK JP", "Noto Sans CJK KR", "Noto Sans CJK SC"
_OTHER_WORDS = frozenset({"Cc", "Cf", "Mn"})
_COLLECTION = b"ttcf"


def font_folders() -> list[str]:
    """Return where a compiler of pages finds its fonts."""
    installed = [str(folder) for folder in _INSTALLED if any(folder.glob(_CJK))]
    emoji = _emoji_alone()
    return [str(_FONTS), *installed, *([emoji] if emoji else [])]


def shows_cjk() -> bool:
    """Say whether there is a font for Chinese, Japanese and Korean."""
    return any(any(folder.glob(_CJK)) for folder in _INSTALLED)


def shows_emoji() -> bool:
    """Say whether there is a font for emoji."""
    return _emoji_font() is not None


def shown(text: str) -> str:
    """Return a text whose every character has a glyph: PDF/A takes no other, and one emoji would be no invoice."""
    return "".join(map(_with_glyph, text))


def scripts_without_glyph(texts: Iterable[str]) -> list[str]:
    """Return the first word of the Unicode names of what is shown as `?`, such as HIRAGANA; none where all is shown."""
    missing = {character for text in texts for character in text if _with_glyph(character) == "?" != character}
    return sorted({unicodedata.name(character, "UNNAMED").partition(" ")[0] for character in missing})


def cjk_family(texts: Iterable[str]) -> str:
    """Return the family of fonts for what three languages share: by the script that one of them has alone."""
    names = {unicodedata.name(one, "").partition(" ")[0] for text in texts for one in text if ord(one) >= 0x1100}
    if names & {"HIRAGANA", "KATAKANA"}:
        return _JAPANESE
    return _KOREAN if "HANGUL" in names else _CHINESE


def _emoji_font() -> Path | None:
    return next((file for file in _EMOJI if file.is_file()), None)


@cache
def _emoji_alone() -> str:
    """Return a folder with the font of emoji and no other, which goes with the process; "" where there is none."""
    file = _emoji_font()
    if file is None:
        return ""
    folder = mkdtemp(prefix="duly-fonts-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (Path(folder) / file.name).symlink_to(file.resolve())
    return folder


@cache
def _with_glyph(character: str) -> str:
    if character in "\n\t" or ord(character) in _glyphs():
        return character
    # What is not seen is left out: joiners, variation selectors, control characters.
    return "" if unicodedata.category(character) in _OTHER_WORDS else "?"


@cache
def _glyphs() -> frozenset[int]:
    files = [*_FONTS.glob("*.ttf"), *(file for folder in _INSTALLED for file in folder.glob(_CJK))]
    files += [file for file in (_emoji_font(),) if file]
    # The font of emoji has a glyph of the character 0 too, which PDF/A takes from no font.
    return frozenset(code for file in files for code in _characters_of(file.read_bytes()) if code)


def _characters_of(font: bytes) -> Iterator[int]:
    """Yield the characters of a font, by formats 4 and 12 of its `cmap` (OpenType 1.9); of a collection the first's."""
    first = struct.unpack_from(">I", font, 12)[0] if font.startswith(_COLLECTION) else 0
    count = struct.unpack_from(">H", font, first + 4)[0]
    tables = (struct.unpack_from(">4sIII", font, first + 12 + 16 * at) for at in range(count))
    start = next(offset for tag, _, offset, _ in tables if tag == b"cmap")
    for at in range(struct.unpack_from(">H", font, start + 2)[0]):
        place = start + struct.unpack_from(">I", font, start + 4 + 8 * at + 4)[0]
        (format_,) = struct.unpack_from(">H", font, place)
        if format_ == 12:
            for group in range(struct.unpack_from(">I", font, place + 12)[0]):
                begin, last, _ = struct.unpack_from(">III", font, place + 16 + 12 * group)
                yield from range(begin, last + 1)
        elif format_ == 4:
            (size,) = struct.unpack_from(">H", font, place + 6)
            ends = struct.unpack_from(f">{size // 2}H", font, place + 14)
            firsts = struct.unpack_from(f">{size // 2}H", font, place + 16 + size)
            # The last stretch ends the table and has no character.
            for begin, last in list(zip(firsts, ends, strict=True))[:-1]:
                yield from range(begin, last + 1)
