"""Names are unique and the field's: the noun of Stripe, Temporal, PostgreSQL or accounting, never an image."""

from pathlib import Path

import pytest

from tests.house import names
from tests.house.source import ROOT, modules, plant
from tests.house.tracked import tracked_files

# Records are not rewritten, and recorded histories are data.
KEPT = ("docs/decisions", "tests/replay/histories")


def test_a_public_class_name_exists_once() -> None:
    assert names.classes_defined_twice(modules()) == []


def test_no_name_in_the_code_is_an_image() -> None:
    assert names.images_in_code(modules()) == []


def test_no_name_in_the_database_is_an_image() -> None:
    assert names.images_in_sql(ROOT) == []


def test_no_file_is_named_by_an_image() -> None:
    ours = [path.relative_to(ROOT) for path in tracked_files()]

    assert names.images_in_files(path for path in ours if not path.as_posix().startswith(KEPT)) == []


def test_a_class_that_is_there_twice_is_found(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {
            "models/cards/card.py": "class Card: x = 1\nclass _Inner: x = 1",
            "workflows/cards/card.py": "class Card: x = 1\nclass _Inner: x = 1",
            "sandbox/card.py": "class Card: x = 1",
            "worker.py": "class Worker: x = 1",
        },
    )

    assert names.classes_defined_twice(modules(tmp_path)) == ["Card: models.cards.card, workflows.cards.card"]


@pytest.mark.parametrize(
    "code",
    [
        "class CollectionDesk: x = 1",
        "def asking_again(): return 1",
        "async def run(vigil): return 1",
        "strikes = 3",
        "def f(self):\n    self.was_told = 1",
        "import models.money as news",
        "for letterhead in (): print(1)",
    ],
)
def test_an_image_in_the_code_is_found(tmp_path: Path, code: str) -> None:
    plant(tmp_path, {"sandbox/one.py": code, "tests/test_one.py": "def test_nobody_is_told_twice(): return 1"})

    assert len(names.images_in_code(modules(tmp_path))) == 1


def test_a_word_inside_another_and_a_letter_of_the_alphabet_are_no_images(tmp_path: Path) -> None:
    plant(tmp_path, {"models/one.py": "def overlooked(letters): peerage, still, newsletter = letters"})

    assert names.images_in_code(modules(tmp_path)) == []


def test_an_image_in_the_database_is_found(tmp_path: Path) -> None:
    plant(tmp_path, {"migrations/functions/cards/cards.sql": "create or replace function duly.tell_holder(p_id text)"})

    assert len(names.images_in_sql(tmp_path)) == 1


def test_an_image_in_the_name_of_a_file_is_found() -> None:
    assert len(names.images_in_files([Path("bench/mortal_server.py"), Path("bench/server.py")])) == 1
