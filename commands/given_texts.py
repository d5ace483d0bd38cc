"""What is typed is looked at before any of it is read: card numbers, texts without an end, texts that are not seen."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from models.card_number import NO_CARD_NUMBER, REFUSED, holds_card_number
from models.problem import Problem, problem_of_text

# A shared note is the longest text that anybody types; who and why are kept with every command.
TEXT_MAX = 4000
TEXTS_MAX: Mapping[str, int] = {"--actor": 100, "--reason": 500}


def problem_of(command: Any, words: Sequence[str]) -> Problem | None:
    """Return what is wrong with the words of a command line; the message repeats nothing of them."""
    for field, text in _texts(command, words):
        most = TEXTS_MAX.get(field, TEXT_MAX)
        if (problem := problem_of_text(_name_of(field), text, most)) is not None:
            return problem
    if holds_card_number(" ".join(words)):
        # Whoever forgets the quotes has a number fall apart into words.
        return Problem("command line", NO_CARD_NUMBER, REFUSED)
    return None


def _texts(command: Any, words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each word with the option or argument that it is given to."""
    option, behind, is_literal = "", 0, False
    for word in words:
        if not is_literal and word.startswith("--"):
            is_literal = word == "--"
            option, given, text = word.partition("=")
            yield option if _is_option(command, option) else "command line", text if given else option
            option = "" if given or not _takes_value(command, option) else option
        elif option:
            yield option, word
            option = ""
        elif inner := getattr(command, "commands", {}).get(word):
            command, behind = inner, 0
        else:
            yield _argument(command, behind), word
            behind += 1


def _is_option(command: Any, name: str) -> bool:
    return any(name in (*one.opts, *one.secondary_opts) for one in command.params)


def _takes_value(command: Any, name: str) -> bool:
    return not any(
        name in (*one.opts, *one.secondary_opts) and getattr(one, "is_flag", False) for one in command.params
    )


def _argument(command: Any, position: int) -> str:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    # The last one may take many.
    return str(arguments[min(position, len(arguments) - 1)].name) if arguments else "command line"


def _name_of(field: str) -> str:
    return field.removeprefix("--").replace("-", "_")
