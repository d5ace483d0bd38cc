"""The documents say what is so."""

from pathlib import Path

import pytest
import typer

from starter import app
from tests.house import documents, readme
from tests.house.source import ROOT, plant
from tests.house.tracked import tracked_files, tracked_texts

README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
DECISIONS = ROOT / "docs" / "decisions" / "README.md"
RECORDS = sorted((ROOT / "docs" / "decisions").glob("0*.md"))


def markdown() -> list[Path]:
    return [path for path in tracked_files() if path.suffix == ".md"]


def test_every_setting_is_documented_with_its_default() -> None:
    rows = [line for line in OPERATIONS.splitlines() if line.startswith(("| `DULY_", "| `STRIPE_", "| `OTEL_"))]

    assert rows == documents.setting_rows()


def test_the_readme_fits_150_lines() -> None:
    assert len(README.splitlines()) <= 150


def test_every_make_target_that_a_document_shows_exists() -> None:
    assert {path.name: found for path in markdown() if (found := targets_missing_in(path))} == {}


def test_every_command_that_a_document_names_exists() -> None:
    program = the_program()

    assert [line for path in markdown() for line in documents.unknown_commands(path.read_text(), program)] == []


def test_every_command_line_in_a_block_of_code_is_one_that_the_parser_takes() -> None:
    # Records keep the commands of their day, and the changelog tells of what was.
    ours = [path for path in markdown() if path.parent != DECISIONS.parent and path.name != "CHANGELOG.md"]
    program = typer.main.get_command(app)

    assert sum(len(list(documents.typed_commands(path.read_text()))) for path in ours) > 50
    assert [problem for path in ours for problem in documents.refused_commands(path, program)] == []


def test_every_link_leads_somewhere() -> None:
    assert documents.broken_links(markdown()) == []


def test_every_file_and_function_that_code_mentions_exists() -> None:
    # What tests plant is nowhere else, and what is frozen keeps the names of its day.
    own = [path for path in tracked_texts() if path.suffix in {".py", ".sql"}]
    others = (ROOT / "tests", ROOT / "migrations" / "versions")

    assert (
        documents.unknown_mentions(
            ROOT, [path for path in own if not path.is_relative_to(others[0]) and not path.is_relative_to(others[1])]
        )
        == []
    )


def test_a_file_and_a_function_that_code_mentions_and_that_is_gone_is_found(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {
            "migrations/functions/a.sql": "-- As duly.gone and duly.here do.\ncreate or replace function duly.here()",
            "models/one.py": '"""See models/one.py, models/gone.py (duly.lost) and tests/two.py."""',
        },
    )
    texts = [tmp_path / "migrations/functions/a.sql", tmp_path / "models/one.py"]

    assert documents.unknown_mentions(tmp_path, texts) == [
        "migrations/functions/a.sql:1: duly.gone",
        *(f"models/one.py:1: {name}" for name in ("models/gone.py", "tests/two.py", "duly.lost")),
    ]


def test_every_file_that_a_document_names_exists() -> None:
    # Records keep the names of their day, and the changelog tells of what was.
    ours = [path for path in markdown() if path.parent != DECISIONS.parent and path.name != "CHANGELOG.md"]

    assert documents.missing_files(ours, ROOT) == []


def test_a_question_s_own_words_find_the_file_that_decides() -> None:
    architecture = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")

    assert documents.unfound_answers(architecture, ROOT) == []
    assert len(documents.unfound_answers(architecture.replace("models/", "models/__init__.py` `"), ROOT)) == 4


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.stem)
def test_a_decision_record_fits_one_screen_and_says_why(record: Path) -> None:
    assert documents.problems_of_record(record) == []


def test_no_two_decision_records_share_a_number() -> None:
    numbers = [record.name.partition("-")[0] for record in RECORDS]

    assert len(numbers) == len(set(numbers))


def test_the_index_lists_every_decision_record() -> None:
    assert documents.unlisted_records(DECISIONS) == []


def test_the_index_says_where_the_files_are_that_records_name() -> None:
    assert documents.files_that_moved(DECISIONS, ROOT) == []


def test_no_file_names_a_path_of_one_machine_or_the_host_of_a_registry() -> None:
    assert documents.local_traces(tracked_texts()) == []


def targets_missing_in(document: Path) -> list[str]:
    return documents.unknown_targets(document.read_text(encoding="utf-8"), MAKEFILE)


def the_program() -> documents.Commands:
    return commands_of(typer.main.get_command(app))


def commands_of(command: object) -> documents.Commands:
    return {name: commands_of(below) for name, below in getattr(command, "commands", {}).items()}


@pytest.mark.parametrize("text", ["    make dmeo\n", "```\nmake dmeo ARGS=1\n```", "Type `make dmeo`."])
def test_a_make_target_that_does_not_exist_is_found(text: str) -> None:
    assert documents.unknown_targets(text, "demo: setup\n") == ["dmeo"]


def test_prose_that_makes_something_is_no_command() -> None:
    assert documents.unknown_targets("They make sure. `make demo`", "demo: setup\n") == []


def test_a_command_that_does_not_exist_is_found() -> None:
    program: documents.Commands = {"runs": {"start": {}}}
    text = "`duly runs start monthly 2027-01`, `duly runs stop`, `duly rums list --json`"

    assert documents.unknown_commands(text, program) == ["rums list", "runs stop"]


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ("    duly rums list", "no such command or option: rums"),
        ("    duly runs listing", "no such command or option: listing"),
        ("    duly --versoin", "no such command or option: --versoin"),
        ("```console\n$ duly runs list --kynd billing\n```", "No such option: --kynd"),
        ("    duly runs list --kind bullying", "is not one of"),
        ("    duly runs start monthly", "Missing argument"),
        ("    duly runs start monthly 2026-11 2026-12", "unexpected extra argument"),
        ("    duly runs start monthly November --wait  # soon", "is not a month"),
        ("    docker compose run --rm starter accounts import", "Missing argument"),
        ("    duly accounts list \\\n      --sate active | head", "No such option: --sate"),
    ],
)
def test_a_command_line_that_the_parser_refuses_is_found(tmp_path: Path, block: str, problem: str) -> None:
    plant(tmp_path, {"page.md": f"Before.\n\n{block}\n"})

    found = documents.refused_commands(tmp_path / "page.md", typer.main.get_command(app))

    assert len(found) == 1
    assert found[0].startswith(f"page.md:{4 if '```' in block else 3}: ")
    assert problem in found[0]


def test_command_lines_that_the_parser_takes_are_not_run_and_need_no_files(tmp_path: Path) -> None:
    text = "    duly accounts import no.csv\n    duly demo --months 2 > report\n    duly\n    x --queue duly --type y\n"
    plant(tmp_path, {"page.md": text})

    assert [number for number, _ in documents.typed_commands(text)] == [1, 2, 3]
    assert documents.refused_commands(tmp_path / "page.md", typer.main.get_command(app)) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {
            "a.md": "# First part\n[self](#first-part) [b](docs/b.md#the-rest-of-it) [web](https://example.com)",
            "docs/b.md": "## The rest, of it\n[a](../a.md) [gone](gone.md) [no heading](../a.md#second-part)",
        },
    )

    assert documents.broken_links([tmp_path / "a.md", tmp_path / "docs" / "b.md"]) == [
        "b.md: gone.md",
        "b.md: ../a.md#second-part",
    ]


def test_a_file_that_a_document_names_and_that_is_gone_is_found(tmp_path: Path) -> None:
    plant(tmp_path, {"a.md": "`models/money.py`, `models/gone.py`, `models/`, `sandbox/`", "models/money.py": ""})

    assert documents.missing_files([tmp_path / "a.md"], tmp_path) == ["a.md: models/gone.py"]


def test_a_record_that_the_index_lacks_and_a_file_that_is_gone_are_found(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {
            "docs/0001-one.md": "# 0001. One\n`models/gone.py`, `models/moved.py`, `models/lost.py`, `models/here.py`",
            "docs/0002-two.md": "# 0002. Two",
            "docs/README.md": "- [0001](0001-one.md) One\n- [0002](0002-two.md) Three\n"
            "| `models/moved.py` | `models/here.py` |\n| `models/lost.py` | `models/nowhere.py` |",
            "models/here.py": "",
        },
    )

    assert documents.unlisted_records(tmp_path / "docs" / "README.md") == ["- [0002](0002-two.md) Two"]
    assert documents.files_that_moved(tmp_path / "docs" / "README.md", tmp_path) == ["models/gone.py", "models/lost.py"]


@pytest.mark.parametrize(
    "text",
    [
        "# 0002. Title\n## Context\n## Decision\n## Alternatives\n## Consequences",
        "# 0001. Title\n## Context\n## Decision\n## Consequences",
        "# 0001. Title\n## Context\n## Decision\n## Alternatives\n## Consequences" + "\n" * 60,
    ],
)
def test_a_record_that_is_none_is_found(tmp_path: Path, text: str) -> None:
    plant(tmp_path, {"0001-title.md": text})

    assert len(documents.problems_of_record(tmp_path / "0001-title.md")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "see /{}/main/docs".format("work"),
        "/{}/.cache".format("root"),
        "--index-{}=https://example.com".format("url"),
    ],
)
def test_a_trace_of_one_machine_is_found(tmp_path: Path, text: str) -> None:
    plant(tmp_path, {"notes.md": text})

    assert documents.local_traces([tmp_path / "notes.md"]) == [f"notes.md:1: {text}"]


def test_the_readme_shows_the_workflows_and_the_example_as_they_are() -> None:
    assert readme.written() == README
