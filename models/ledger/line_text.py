"""A line as it is written on the command line: product=gold,quantity=2,price=100.00,discount=15%."""

from models.problem import refusal

WORDS = (
    "product",
    "quantity",
    "price",
    "discount",
    "tax_rate",
    "description",
    "period_from",
    "period_to",
    "sales_channel",
)


def line_of(text: str) -> dict[str, str]:
    """Split a line into its words. Raises RefusedError: no word, an unknown one, or one twice."""
    found: dict[str, str] = {}
    for part in text.split(","):
        word, equals, value = part.partition("=")
        name = word.strip()
        if not equals or name not in WORDS:
            raise refusal("line", "line_format", f"{part.strip()!r} is none of {', '.join(WORDS)}, as in price=9.99")
        if name in found:
            raise refusal("line", "line_format", f"{name} is there twice")
        found[name] = value.strip()
    return found
