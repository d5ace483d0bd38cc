"""What is taken for a card number, what is not, and what is left of a text without it."""

import random
import time

import pytest

from models.card_number import holds_card_number, place_of_card_number, without_card_numbers

VISA, AMEX = "4242424242424242", "378282246310005"
WRITTEN = [
    VISA,
    "4242 4242 4242 4242",
    "4242 4242 4242 4242 12/27",
    "4242 4242 4242 4242 12/27 123",
    "4242  4242  4242  4242",
    "4242/4242/4242/4242",
    "4242-4242-4242-4242",
    "4242\u20134242\u20144242\u20104242",
    "4242.4242.4242.4242",
    "4242_4242_4242_4242",
    "4242,4242,4242,4242",
    "4242|4242|4242|4242",
    "(4242) (4242) (4242) (4242)",
    "4242\n4242\r\n4242\t4242",
    "4242\u200b4242\u200c4242\u200d4242",
    "4242\u00ad4242\u20604242\ufeff4242",
    "4242\u00a04242\u20074242\u30004242",
    "4\ufe0f\u20e32424242 4242 4242 242",
    "4242 4242-4242/4242",
    "42 42 42 42 42 42 42 42",
    "4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2",
    "42 42 - 42 42 - 42 42 - 42 42",
    "4 2 4 2/4 2 4 2/4 2 4 2/4 2 4 2",
    "4242\u31644242\u115f4242\uffa04242",
    "4242\u30fc4242\u30fc4242\u30fc4242",
    "4242\u318d4242\u318d4242\u318d4242",
    "4242%204242%2D4242%204242",
    "4242%25204242%252d4242%2525204242",
    "4242=204242=C2=A04242=204242",
    "card=4242%2f4242%2f4242%2f4242&exp=1227",
    "4242&nbsp;4242&#160;4242&#xa0;4242",
    "<b>4242</b><br>4242<br>4242<br>4242",
    "4242\\n4242\\u00a04242\\x204242",
    "42424242 42424242",
    "424242424242 4242",
    "\uff14\uff12" * 8,
    "\u0664\u0662" * 8,
    "\u096a\u0968" * 8,
    "3782-822463-10005",
    "3782 822463 10005 12/27",
    "3056 930902 5904",
    "6304000000000000000",
    "4222222222222",
    "2223003122003222",
    "6200000000000005",
    "3566002020360505",
    "the card is 5555.5555.5555.4444, thanks",
    f"card{VISA}",
    f"invoice 17 of 2026-11-28, card {VISA}.",
    f"order 17 {VISA}",
    "17 4242 4242 4242 4242",
    f"{VISA}1227",
    f"{VISA}1227123",
    f"0000{VISA}",
    f"17{VISA}",
    f"20261128{VISA}",
    "4242 4242 4242 42421227",
    "174242 4242 4242 4242",
    f"DE89370400440532013000 {VISA}",
    f"+49 170 1234567 / {VISA}",
    VISA * 3,
    f"{VISA}{AMEX}{VISA}{AMEX}17",
    f"3633-7406-8124-{VISA}0895650186144",
    "4242 4242 4242 4242cvc 123",
    "1220cvc 123",
    "cvc 123",
    "CVV2: 1234",
    "the security code is 123",
]


@pytest.mark.parametrize("text", WRITTEN)
def test_a_card_number_is_found_however_it_is_written_and_is_not_left_in_the_text(text: str) -> None:
    left = without_card_numbers(text)

    assert holds_card_number(text)
    assert not holds_card_number(left)
    assert "(number removed)" in left


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4242424242424241",  # fails the check
        "424242424242",  # too short
        "4242 4242 4242 x 4242",
        "7992739871300000",  # no network's
        "+357 22 123456",
        "+49 170 12345674",
        "+41 (0)44 668 18 00",
        "0049 170 12345678",
        "pm_1NxY2f4242",
        "pi_3Q9aBcDeFgHiJkL0123456",
        "ch_3MmlLrLkdIwHu7ix0snN0B15",
        "2026-11-23T03:15:59",
        "2026-11-28 15:42:12.123456",
        "2026-11-28, 2026-12-28, 2027-01-28",
        "20261128154212",
        "1764362812345",  # milliseconds since 1970
        "de305d54-75b4-431b-adb2-eb6b9e546014",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "DE89370400440532013000",
        "DE89 3704 0044 0532 0130 00",
        "GB29 NWBK 6016 1331 9268 19",
        "CY17 0020 0128 0000 0012 0052 7600",
        "FR14 2004 1010 0505 0001 3M02 606",
        "RF18 5390 0754 7034",
        "21 00000 00003 13947 14300 09017",
        "INV-0000000012",
        "INV2026-0000000012, INV2026-0000000013",
        "run/monthly/2026-11",
        "12.50, 44.10, 36.20, 18.00, 51.25, 62.00, 40.40",
        "24.50 36.20 40.40 51.25, 24.11, 25.11",
        "24.11.26 10:30, 25.11.26 10:30",
        "https://example.com/?a=10%25&b=424242424242%2042",
        "a discount of 10%20 for 4242 and 4242",
        "1 234 567.89 EUR",
        "+++090/9337/55493+++",
        "20261128-000000000017",
        "card expiry 12/2027",
    ],
)
def test_what_has_a_shape_of_its_own_is_no_card_number(text: str) -> None:
    assert not holds_card_number(text)
    assert without_card_numbers(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (
            f"card {VISA} 12/27 CVC 123, for INV-0000000012",
            "card (number removed) (number removed), for INV-0000000012",
        ),
        ("4242 4242 4242 4242 12/27 123 thanks", "(number removed) thanks"),
        (f"{VISA} and {AMEX}", "(number removed) and (number removed)"),
        (f"ünïcödé ½ {VISA}", "ünïcödé ½ (number removed)"),
    ],
)
def test_the_expiry_and_the_code_beside_a_number_go_with_it_and_nothing_else(text: str, left: str) -> None:
    assert without_card_numbers(text) == left


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"lines": [{"description": "bread"}, {"description": VISA}]}, "lines.1.description"),
        ({"amount": int(VISA)}, "amount"),
        ({VISA: 1}, ""),
        ({"name": "Ada", "lines": [1, 2.5, None, True]}, None),
    ],
)
def test_a_document_says_where_it_holds_one(document: object, place: str | None) -> None:
    assert place_of_card_number(document) == place


def test_few_long_references_of_banks_are_taken_for_card_numbers() -> None:
    drawn = random.Random(17)
    days = [f"2026{drawn.randint(1, 12):02}{drawn.randint(1, 28):02}" for _ in range(2000)]
    references = [f"{day}{drawn.randrange(10**12):012}" for day in days]

    assert [reference for reference in references if holds_card_number(reference)] == []


def test_nothing_is_left_of_numbers_that_stand_together_in_any_way() -> None:
    drawn, left = random.Random(17), []
    apart = ("", "", " ", "-", "\n", ".", "/", " - ", "%20", "\u200b", " 12/27 ", " cvc 123")
    numbers = (VISA, AMEX, "30569309025904", "6200000000000005", "4222222222222", "5555555555554444")
    for _ in range(400):
        text = ""
        for _ in range(drawn.randint(2, 4)):
            number, within = drawn.choice(numbers), drawn.choice(apart)
            groups = within.join(number[at : at + 4] for at in range(0, len(number), 4))
            text += drawn.choice((number, groups, str(drawn.randrange(10**9)))) + drawn.choice(apart)
        left.append(without_card_numbers(text))

    assert [text for text in left if holds_card_number(text)] == []


@pytest.mark.nightly
def test_a_long_text_takes_no_more_time_for_each_digit_than_a_short_one() -> None:
    began = time.process_time()

    # A second of the processor's time; ten where the rest is copied for each word.
    assert not holds_card_number("\\n4242 1" * 40_000)
    assert time.process_time() - began < 6
