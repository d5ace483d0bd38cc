"""Every kind of message has its words in every language, and writes what a reader there would write."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from babel import Locale

from activities.messages.rendering import LANGUAGES, TEMPLATES, MessageRenderer, TemplateRefusedError, read_templates
from activities.messages.template_values import VALUES, ClaimedMessage, money_text
from models.gateway.decline import CLASS_OF_CODE, Decline, DeclineClass
from models.messages.message import FOR_CUSTOMERS, TAGS, CustomerReason, MessageKind, customer_reason
from models.money import Money
from tests.messages.recipients import SENDER

PARAMETERS: dict[str, Any] = {
    "amount_minor": 123456,
    "currency": "EUR",
    "reason": "funds",
    "provider": "stripe",
    "code": "insufficient_funds",
    "at": "2026-12-01T23:30:00+00:00",
    "members": 3,
    "count": 2,
    "occasion": "reconciliation/stripe/2026-11-26",
    "kinds": [{"kind": "double_charge", "state": "open", "count": 2, "objects": ["ch_1", "ch_2"]}],
    "reasons": {"insufficient_funds": 2, "expired_card": 1},
    "failures": 3,
    "days": 7,
    "usual_minor": 1000,
    "payments": 5,
    "event": "evt_1",
    "mandate": "M-2026-17",
    "creditor": "DE98ZZZ09999999999",
    "type": "refund.failed",
    "object": "re_1",
}

# The texts of communications are the configuration's.
WITH_TEMPLATES = frozenset(MessageKind) - {MessageKind.COMMUNICATION}


def claimed(kind: MessageKind, **changes: Any) -> ClaimedMessage:
    message = ClaimedMessage(
        id="receipt/acc_ada/2026-11",
        kind=kind,
        account_id="acc_ada",
        period="2026-11",
        run_id="run/monthly/2026-11",
        parameters=PARAMETERS,
        claimed_at=datetime(2026, 11, 30, tzinfo=UTC),
        created_at=datetime(2026, 11, 30, tzinfo=UTC),
        installation="duly",
        email="ada@example.com",
        name="Ada Lovelace",
        locale="en",
        time_zone="Europe/Nicosia",
        card_brand="visa",
        card_last4="4242",
        number="PAY-1",
        link_token="token",
    )
    return replace(message, **changes)


def text_of(message: ClaimedMessage) -> str:
    return MessageRenderer(SENDER).text_of(message, Locale.parse(message.locale))


@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize("kind", sorted(WITH_TEMPLATES))
def test_every_kind_has_its_words_in_every_language(kind: MessageKind, locale: str) -> None:
    subject, _, body = text_of(claimed(kind, locale=locale)).partition("\n")

    assert subject.strip()
    assert len(subject) <= 90
    assert len(body.strip().splitlines()) >= 1
    assert "#{" not in subject + body
    assert "None" not in subject + body


@pytest.mark.parametrize("locale", LANGUAGES)
def test_every_letter_to_an_accounts_holder_leads_to_the_portal_where_there_is_one(locale: str) -> None:
    url = "https://account.example.com"
    renderer = MessageRenderer(replace(SENDER, portal_url=url))
    letters = {kind: renderer.text_of(claimed(kind, locale=locale), Locale.parse(locale)) for kind in WITH_TEMPLATES}
    others = renderer.text_of(claimed(MessageKind.PAYMENT_REQUESTED, recipient="payer@example.com"), Locale("en"))

    assert {kind for kind, text in letters.items() if url in text} == FOR_CUSTOMERS & WITH_TEMPLATES
    assert f"{url}/enter/token" in letters[MessageKind.PORTAL_LINK]
    assert url not in others


def test_every_tag_of_every_kind_has_a_value_and_every_value_a_tag() -> None:
    assert {tag for tags in TAGS.values() for tag in tags} == set(VALUES)
    assert set(TAGS) == set(MessageKind)


@pytest.mark.parametrize("kind", sorted(FOR_CUSTOMERS & WITH_TEMPLATES))
def test_a_template_says_all_that_its_kind_is_about(kind: MessageKind) -> None:
    for language in LANGUAGES:
        words = (TEMPLATES / language / f"{kind}.txt").read_text(encoding="utf-8")
        assert [tag for tag in TAGS[kind] if tag not in words] == []


@pytest.mark.parametrize("tag", ["#{card_number}", "#{amount.amount_minor}", "{% if secret %}x{% endif %}"])
def test_a_template_with_an_unknown_tag_is_refused_at_start(tmp_path: Path, tag: str) -> None:
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    place = tmp_path / "templates" / "en" / "receipt.txt"
    place.write_text(f"Your card\n{tag}\n", encoding="utf-8")

    with pytest.raises(TemplateRefusedError, match=r"en/receipt\.txt"):
        read_templates(tmp_path / "templates")


def test_a_template_that_is_missing_is_refused_at_start(tmp_path: Path) -> None:
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    (tmp_path / "templates" / "de" / "receipt.txt").unlink()

    with pytest.raises(TemplateRefusedError, match=r"de/receipt\.txt: there is no such template"):
        read_templates(tmp_path / "templates")


@pytest.mark.parametrize(
    ("money", "locale", "expected"),
    [
        (Money(123456, "EUR"), "en", "€1,234.56"),
        (Money(123456, "EUR"), "de", "1.234,56\N{NO-BREAK SPACE}€"),
        (Money(123456, "EUR"), "de_AT", "€\N{NO-BREAK SPACE}1.234,56"),
        (Money(500, "JPY"), "en", "¥500"),
        (Money(1500, "KWD"), "de", "1,500\N{NO-BREAK SPACE}KWD"),
        (Money(1505, "IQD"), "en", "IQD\N{NO-BREAK SPACE}1.505"),
        (Money(5, "HUF"), "en", "HUF\N{NO-BREAK SPACE}0.05"),
    ],
)
def test_an_amount_is_written_as_its_reader_does_and_never_rounded(money: Money, locale: str, expected: str) -> None:
    assert money_text(money, Locale.parse(locale)) == expected


def test_a_day_is_the_readers_own() -> None:
    late = {**PARAMETERS, "at": "2026-12-01T23:30:00+00:00"}

    in_cyprus = text_of(claimed(MessageKind.DECLINED, parameters=late))
    in_berlin = text_of(claimed(MessageKind.DECLINED, parameters=late, locale="de", time_zone="Atlantic/Canary"))

    assert "try again on December 2, 2026." in in_cyprus
    assert "versuchen es am 1. Dezember 2026 noch" in in_berlin


@pytest.mark.parametrize("at", ["2026-11-29", "2026-11-29T12:00:00+00:00"])
@pytest.mark.parametrize("time_zone", ["Europe/Nicosia", "Pacific/Auckland", "Pacific/Honolulu"])
@pytest.mark.parametrize(
    "kind", [MessageKind.INVOICE_POSTED, MessageKind.INVOICE_DUE, MessageKind.INVOICE_OVERDUE, MessageKind.RECEIPT]
)
def test_a_day_of_the_books_is_the_same_day_everywhere_and_has_no_hour(
    kind: MessageKind, time_zone: str, at: str
) -> None:
    written = datetime(2026, 11, 29, 3, tzinfo=UTC)

    text = text_of(claimed(kind, parameters={**PARAMETERS, "at": at}, time_zone=time_zone, created_at=written))

    assert "November 29, 2026" in text
    assert not any(hour in text for hour in ("AM", "PM"))


@pytest.mark.parametrize(
    ("locale", "greeting"),
    [("de_AT", "Guten Tag"), ("de-DE", "Guten Tag"), ("en_IE", "Hello"), ("fr_FR", "Hello"), ("??", "Hello")],
)
def test_who_speaks_another_language_is_written_to_in_english(locale: str, greeting: str) -> None:
    rendered = MessageRenderer(SENDER).compose(claimed(MessageKind.RECEIPT, locale=locale))

    body = message_from_bytes(rendered.content, policy=policy.default).get_body()
    assert body is not None
    assert body.get_content().startswith(f"{greeting} Ada Lovelace,")


def test_a_name_makes_no_line_and_no_header_of_its_own() -> None:
    name = 'Eve\r\nBcc: everybody@example.com\r\n\r\nYou owe nothing. "<eve@example.com>" \N{RIGHT-TO-LEFT OVERRIDE}'

    rendered = MessageRenderer(SENDER).compose(claimed(MessageKind.RECEIPT, name=name))

    parsed = message_from_bytes(rendered.content, policy=policy.default)
    assert parsed["Bcc"] is None
    assert [address.addr_spec for address in parsed["To"].addresses] == ["ada@example.com"]
    assert rendered.recipient == "ada@example.com"
    assert 'Hello Eve Bcc: everybody@example.com You owe nothing. "<eve@example.com>",' in str(parsed.get_content())


def test_a_message_has_the_same_id_whenever_it_is_sent() -> None:
    ids = [
        message_from_bytes(MessageRenderer(SENDER).compose(one).content)["Message-ID"]
        for one in (claimed(MessageKind.RECEIPT), claimed(MessageKind.RECEIPT), claimed(MessageKind.RECEIPT, id="x"))
    ]

    assert ids[0] == ids[1] != ids[2]
    assert ids[0].endswith("@shop.example>")


@pytest.mark.parametrize("code", sorted(CLASS_OF_CODE))
def test_of_a_suspected_fraud_a_customer_is_told_nothing(code: str) -> None:
    result = customer_reason(Decline("card_declined", code))

    assert result in CustomerReason
    assert CLASS_OF_CODE[code] is not DeclineClass.FRAUD or result is CustomerReason.UNSAID


def test_a_message_about_a_declined_card_leads_to_the_page_and_never_says_the_code() -> None:
    text = text_of(
        claimed(MessageKind.CARD_NEEDED, parameters={**PARAMETERS, "code": "stolen_card", "reason": "unsaid"})
    )

    assert "https://pay.shop.example/pay/token" in text
    assert "stolen" not in text


@pytest.mark.parametrize(
    ("locale", "words"), [("en", "your choice, from €10.00 to €50.00"), ("de", "Ihrer Wahl, von 10,00 € bis 50,00 €")]
)
def test_who_chooses_the_amount_reads_its_limits(locale: str, words: str) -> None:
    limits = {"amount_minor": 1000, "currency": "EUR", "reason": "new", "at": "2026-12-01T12:00:00+00:00"}
    given = limits | {"least_minor": 1000, "most_minor": 5000}

    text = text_of(claimed(MessageKind.PAYMENT_REQUESTED, parameters=given, locale=locale, title="A gift"))

    assert words in text.replace("\N{NO-BREAK SPACE}", " ")
