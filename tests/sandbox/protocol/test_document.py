"""docs/sandbox.md leaves nothing out."""

from pathlib import Path

import pytest

from sandbox.stripe.api.operations import OPERATIONS
from sandbox.stripe.cards import TEST_CARDS
from sandbox.stripe.control import routes as control_api
from sandbox.stripe.control.client import EventFaultKind, FaultKind
from sandbox.stripe.core import Sandbox, SandboxConfig

TEXT = (Path(__file__).parents[3] / "docs" / "sandbox.md").read_text()
CONTROLS = [route.path.removeprefix("/_sandbox/") for route in control_api.routes(Sandbox(SandboxConfig()))]
NOUNS = sorted({template.split("/{")[0] for _, template, _, _ in OPERATIONS})


@pytest.mark.parametrize("word", [*FaultKind, *EventFaultKind, *TEST_CARDS, *CONTROLS, *NOUNS])
def test_the_document_tells_of_everything_there_is(word: str) -> None:
    assert f"`{word}`" in TEXT
