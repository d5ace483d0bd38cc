"""What looks like a card number, and what does not."""

import pytest

from models.cards.card_number import holds_card_number


@pytest.mark.parametrize(
    "text",
    [
        "4242424242424242",
        "4242 4242 4242 4242",
        "3782-822463-10005",
        "6304000000000000000",
        "4222222222222",
        "the card is 5555.5555.5555.4444, thanks",
        "\uff14\uff12" * 8,
    ],
)
def test_digits_that_pass_the_check_are_taken_for_a_card_number(text: str) -> None:
    assert holds_card_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4242424242424241",  # fails the check
        "424242424242",  # too short
        "42424242424242424242",  # too long
        "4242 4242 4242 x 4242",
        "+357 22 123456",
        "pm_1NxY2f4242",
        "2026-11-23T03:15:59",
    ],
)
def test_other_texts_are_not(text: str) -> None:
    assert not holds_card_number(text)
