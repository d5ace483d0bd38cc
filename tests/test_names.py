"""Names are unique and the field's: the noun of Stripe, Temporal, PostgreSQL or accounting, never an image."""

from pathlib import Path

import pytest

from tests.house import names
from tests.house.source import ROOT, modules, plant
from tests.house.tracked import tracked_files, tracked_texts

# Records are not rewritten, and recorded histories are data.
KEPT = ("docs/decisions", "tests/replay/histories")
# What was released stays as it was written, and so do a lock, a licence and what others wrote.
KEPT_TEXTS = (
    *KEPT,
    "CHANGELOG.md",
    "LICENSE",
    "migrations/versions/0001",
    "migrations/versions/0002",
    "tests/upgrades/releases",
    "web/assets/vendored",
    "tests/console/vendored",
)


def test_a_public_class_name_exists_once() -> None:
    assert names.classes_defined_twice(modules()) == []


def test_no_name_in_the_code_is_an_image() -> None:
    assert names.images_in_code(modules()) == []


def test_no_name_in_the_database_is_an_image() -> None:
    assert names.images_in_sql(ROOT) == []


def test_no_file_is_named_by_an_image() -> None:
    ours = [path.relative_to(ROOT) for path in tracked_files()]

    assert names.images_in_files(path for path in ours if not path.as_posix().startswith(KEPT)) == []


def test_no_sentence_has_an_image() -> None:
    texts = [path for path in tracked_texts() if path.suffix not in {".lock", ".json"}]
    ours = [path for path in texts if not path.relative_to(ROOT).as_posix().startswith(KEPT_TEXTS)]

    assert names.images_in_prose(ours, ROOT) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("docs/one.md", "The desk accepts it."),
        ("models/one.py", '"""The gateway has news."""'),
        ("migrations/functions/cards/cards.sql", "-- Trouble at the gateway."),
        ("workflows/one.py", 'log.info("payment_swallowed", why="it was swallowed")'),
    ],
)
def test_an_image_in_a_sentence_is_found(tmp_path: Path, path: str, text: str) -> None:
    plant(tmp_path, {path: text, "docs/two.md": "A newsletter about deskwork, told in letters."})

    found = names.images_in_prose([tmp_path / path, tmp_path / "docs" / "two.md"], tmp_path)

    assert [line.partition(":")[0] for line in found] == [path]


def test_a_class_that_is_there_twice_is_found(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {
            "models/cards/card.py": "class Card: x = 1\nclass _Inner: x = 1",
            "workflows/cards/card.py": "class Card: x = 1\nclass _Inner: x = 1",
            "sandbox/card.py": "class Card: x = 1",
            "worker.py": "class Worker: x = 1",
            "web/worker.py": "class Worker: x = 1",
            "models/runs/choice.py": "Choice = int | None\nTEXT = 1 | 2",
            "workflows/runs/choice.py": "class Choice: x = 1\nTEXT = 1 | 2",
        },
    )

    assert names.classes_defined_twice(modules(tmp_path)) == [
        "Card: models.cards.card, workflows.cards.card",
        "Choice: models.runs.choice, workflows.runs.choice",
        "Worker: web.worker, worker",
    ]


@pytest.mark.parametrize(
    "code",
    [
        "class CollectionDesk: x = 1",
        "def asking_again(): return 1",
        "async def run(vigil): return 1",
        "strikes = 3",
        "SILENCE = 60",
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


@pytest.mark.parametrize(
    "sql",
    [
        "create or replace function duly.tell_holder(p_id text)",
        "alter table duly.cards add column was_told boolean",
        "declare\n    v_news text; -- and a comment",
        "create index cards_struck on duly.cards (id)",
        "create or replace function duly.judge_members(p_period text)",
    ],
)
def test_an_image_in_the_database_is_found(tmp_path: Path, sql: str) -> None:
    plant(tmp_path, {"migrations/functions/cards/cards.sql": f"-- nobody is told\nselect 'told';\n{sql}"})

    assert len(names.images_in_sql(tmp_path)) == 1


def test_an_image_in_the_name_of_a_file_is_found() -> None:
    assert len(names.images_in_files([Path("bench/mortal_server.py"), Path("bench/server.py")])) == 1
