"""What people type, paste and scan."""

import pytest

from traceability import selectors


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("123456", ["123456"]),
        ("  sn-12 34\x00 ", ["sn-12 34"]),
        # Full-width digits of a Chinese keyboard.
        ("１２３４５６", ["123456"]),
        ("(01)09506000134352(10)RM-2605-09(21)123456", ["123456", "RM-2605-09"]),
        ("]d2010950600013435221123456\x1d10RM-2605-09", ["123456", "RM-2605-09"]),
        ("01095060001343521726123110RM-2605<GS>21A7", ["A7", "RM-2605"]),
        ("https://id.gs1.org/01/09506000134352/10/RM%2F26/21/123456", ["123456", "RM/26"]),
        ("https://id.example/gtin/09506000134352/lot/L1/ser/S1?11=260101", ["S1", "L1"]),
        ("http://shop.example/trace/?q=123456", ["123456"]),
        ("MS:SN:123456", ["123456"]),
        ("MS:LOT:RM-2605-09", ["RM-2605-09"]),
        ("http://[broken", ["http://[broken"]),
        ("", []),
        (" \x1d ", []),
    ],
)
def test_a_code_gives_the_serial_number_then_the_lot(text: str, numbers: list[str]) -> None:
    found = selectors.numbers_in(text)
    assert found[: len(numbers)] == numbers
    # The text as it stands is tried last: a number may look like a code.
    assert len(found) <= len(numbers) + 1


def test_a_number_that_only_looks_like_a_code_is_tried_as_it_stands() -> None:
    assert selectors.numbers_in("0110-778")[-1] == "0110-778"
    assert selectors.numbers_in("01095060001343")[-1] == "01095060001343"


def test_the_address_of_our_own_page_names_the_thing() -> None:
    assert selectors.thing_in("https://mill.example/trace/2199023255560/impact/") == 2199023255560
    assert selectors.thing_in("https://mill.example/orders/12/") is None
    assert selectors.thing_in("/trace/12/") is None
    assert selectors.thing_in("http://[broken/trace/1/") is None


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("https://mill.example/id/21/SN-7", "SN-7"),
        ("https://mill.example/id/10/RM%2F26%20A", "RM/26 A"),
        ("https://id.gs1.org/01/09506000134352/10/L-1/21/S-1", "S-1"),
        ("http://mill.example/trace/?q=S-1", "S-1"),
        # What is no address is the number itself, whatever it looks like.
        ("0110-778", "0110-778"),
        ("(21)S-1", "(21)S-1"),
        ("https://shop.example/pump", "https://shop.example/pump"),
        ("http://[broken/21/S-1", "http://[broken/21/S-1"),
    ],
)
def test_a_field_for_one_number_takes_the_code_of_a_label(code: str, number: str) -> None:
    assert selectors.number_of(code) == number
    assert selectors.normalised(code) == selectors.normalised(number)
