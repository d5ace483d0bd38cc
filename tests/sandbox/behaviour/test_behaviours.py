"""What Stripe does, done by the sandbox; `make contract` asks Stripe itself the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.stripe.contract.behaviour import Behaviour
from sandbox.stripe.contract.calls import Calls
from sandbox.stripe.contract.report import BEHAVIOURS, document_table
from sandbox.stripe.control.client import SandboxControl
from tests.support.builders import API_KEY

DOCUMENT = Path(__file__).parents[3] / "docs" / "sandbox.md"


@pytest.fixture
def calls(stripe_sandbox: SandboxControl) -> Iterator[Calls]:
    """The sandbox, asked as the runner asks it."""
    with Calls(stripe_sandbox.base_url, API_KEY, stripe_sandbox) as calls:
        yield calls


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda each: each.observe.__name__)
def test_the_sandbox_behaves_as_stripe_does(calls: Calls, behaviour: Behaviour) -> None:
    assert behaviour.observe(calls) == behaviour.expected


def test_the_document_has_the_table_of_behaviours() -> None:
    assert document_table() in DOCUMENT.read_text(encoding="utf-8")


def test_every_behaviour_has_a_source_and_a_name_of_its_own() -> None:
    assert all(each.source.startswith(("/", "OpenAPI ")) for each in BEHAVIOURS)
    assert len({each.name for each in BEHAVIOURS}) == len(BEHAVIOURS)
