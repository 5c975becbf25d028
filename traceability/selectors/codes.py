"""What a scanned or pasted code says: a plain number, GS1 elements, a Digital Link, our label.

Sources: GS1 General Specifications (application identifiers 01, 10, 21 and their lengths), GS1
Digital Link standard (URI syntax).
"""

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

# Application identifiers of a lot and of a serial number.
LOT_AI, SERIAL_AI = "10", "21"
# Of fixed length, by identifier: what stands behind it needs no separator.
_FIXED = {
    "00": 18, "01": 14, "02": 14, "11": 6, "12": 6, "13": 6, "15": 6, "16": 6, "17": 6, "20": 2,
}  # fmt: skip
_VARIABLE = (LOT_AI, SERIAL_AI, "22", "30", "37", "240", "241", "250", "251", "400", "410", "414")
# How readers and screens show the separator (FNC1).
_SEPARATORS = re.compile(r"\x1d|\u241d|<GS>|\{GS\}|\[GS\]|\^\]", re.IGNORECASE)
# ]C1 GS1-128, ]d2 DataMatrix, ]Q3 QR, ]e0 DataBar: which symbol was read.
_SYMBOLOGY = re.compile(r"^\](?:C1|d2|Q3|J1|e0)")
_BRACKETED = re.compile(r"\((\d{2,4})\)([^()]*)")
_OUR_PAGE = re.compile(r"/trace/(\d{1,19})(?:/|$)")
# An address with everything that may stand in it.
LONGEST_CODE = 400


def numbers_in(text: str) -> list[str]:
    """The serial and lot numbers that a code may mean, the most telling first; none for no text.

    The text itself comes last: "0110…" may also be a number as it stands.
    """
    text = unicodedata.normalize("NFKC", text[:LONGEST_CODE]).replace("\x00", "").strip()
    found = [*_elements(text), *_link(text), *_label(text)]
    serials = [value for ai, value in found if ai == SERIAL_AI]
    lots = [value for ai, value in found if ai == LOT_AI]
    plain = _SEPARATORS.sub("", _SYMBOLOGY.sub("", text)).strip()
    return list(dict.fromkeys(value for value in [*serials, *lots, plain] if value))


def number_of(code: str) -> str:
    """The number that an address names, as our labels and Digital Links do; other text as it is.

    For fields that take one number: there "(01)…" and "0110…" may be numbers themselves.
    """
    if "://" not in code:
        return code
    named = dict(_link(code[:LONGEST_CODE].strip()))
    return named.get(SERIAL_AI) or named.get(LOT_AI) or code


def thing_in(text: str) -> int | None:
    """The id of the lot or unit whose page a code of ours opens."""
    parts = _address(text.strip()[:LONGEST_CODE])
    found = _OUR_PAGE.search(parts.path) if parts else None
    return int(found[1]) if found else None


def _address(text: str) -> SplitResult | None:
    try:
        return urlsplit(text) if "://" in text else None
    except ValueError:
        return None


def _elements(text: str) -> Iterator[tuple[str, str]]:
    """Identifiers with their values, of "(01)…(21)…" or of the bare string with separators."""
    if "(" in text:
        yield from _BRACKETED.findall(text)
        return
    bare = _SYMBOLOGY.sub("", text)
    is_marked = bare != text or bool(_SEPARATORS.search(text)) or bare.startswith(("01", "02"))
    if is_marked:
        for part in _SEPARATORS.split(bare):
            yield from _run(part)


def _run(text: str) -> Iterator[tuple[str, str]]:
    """One run between separators: fixed ones, then at most one of variable length."""
    while text:
        length = _FIXED.get(text[:2])
        if length is not None:
            value, text, ai = text[2 : 2 + length], text[2 + length :], text[:2]
            if len(value) < length or not value.isdecimal():
                return
            yield ai, value
            continue
        ai = next((ai for ai in _VARIABLE if text.startswith(ai)), "")
        if ai:
            yield ai, text[len(ai) :]
        return


def _link(text: str) -> Iterator[tuple[str, str]]:
    """A Digital Link: https://id.example/01/09506000134352/10/LOT/21/SERIAL, or them as a query."""
    parts = _address(text)
    if parts is None:
        return
    named = {"lot": LOT_AI, "ser": SERIAL_AI}
    path = [unquote(part) for part in parts.path.split("/")]
    for key, value in zip(path, path[1:], strict=False):
        ai = named.get(key, key)
        if ai in (LOT_AI, SERIAL_AI):
            yield ai, value
    for key, value in parse_qsl(parts.query):
        if named.get(key, key) in (LOT_AI, SERIAL_AI):
            yield named.get(key, key), value
        elif key == "q":
            # Our own box.
            yield SERIAL_AI, value


def _label(text: str) -> Iterator[tuple[str, str]]:
    """Our labels: MS:SN:123456, MS:LOT:RM-2605-09, MS:WO:WO-100001."""
    head, _colon, rest = text.partition(":")
    kind, _colon, value = rest.partition(":")
    if head == "MS" and value:
        yield (LOT_AI if kind == "LOT" else SERIAL_AI), value
