"""What Stripe does, done by the sandbox; `make contract` asks Stripe itself the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.stripe.contract.behaviour import Behaviour
from sandbox.stripe.contract.deliveries import receiving
from sandbox.stripe.contract.report import BEHAVIOURS, document_table
from sandbox.stripe.contract.side import Side
from sandbox.stripe.control.client import SandboxControl
from tests.support.builders import API_KEY

DOCUMENT = Path(__file__).parents[3] / "docs" / "sandbox.md"


@pytest.fixture
def side(stripe_sandbox: SandboxControl) -> Iterator[Side]:
    """The sandbox, asked as the runner asks it."""
    with (
        receiving(0) as deliveries,
        Side(stripe_sandbox.base_url, API_KEY, stripe_sandbox, deliveries=deliveries) as side,
    ):
        yield side


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda each: each.observe.__name__)
def test_the_sandbox_behaves_as_stripe_does(side: Side, behaviour: Behaviour) -> None:
    assert behaviour.observe(side) == behaviour.expected


def test_the_document_has_the_table_of_behaviours() -> None:
    assert document_table() in DOCUMENT.read_text(encoding="utf-8")


def test_every_behaviour_has_a_source_and_a_name_of_its_own() -> None:
    assert all(each.source.startswith(("/", "OpenAPI ")) for each in BEHAVIOURS)
    assert len({each.name for each in BEHAVIOURS}) == len(BEHAVIOURS)
