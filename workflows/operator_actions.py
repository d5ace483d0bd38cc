"""How the updates that make sense now are shown to an operator: here, in the UI, and on the command line."""

from collections.abc import Sequence
from dataclasses import dataclass

WHO = '"actor": "maria", "reason": "as agreed"'


@dataclass(frozen=True)
class OperatorAction:
    """One update: what it is for, what else it takes, and the command of `duly` that sends it."""

    update: str
    meaning: str
    command: str = ""
    fields: str = ""
    options: str = ""
    takes_command: bool = True

    @property
    def data(self) -> str:
        """An example of what the UI's dialog takes, as JSON; nothing for an update without arguments."""
        fields = (WHO, self.fields) if self.takes_command else (self.fields,)
        return f"{{{', '.join(field for field in fields if field)}}}" if any(fields) else ""


def actions_text(actions: Sequence[OperatorAction], *, target: str) -> str:
    """Return what can be done, in Markdown: each action with its data for the UI, the first as a command too."""
    if not actions:
        return ""
    listed = "\n".join(f"- `{action.update}` {action.meaning}{_with(action)}" for action in actions)
    return (
        f"**What you can do**: More Actions, Send an Update, with `{{{WHO}}}` and what is said here\n\n{listed}"
        f"{_on_a_terminal(actions[0], target)}"
    )


def _on_a_terminal(action: OperatorAction, target: str) -> str:
    if not action.command:
        return ""
    options = f" \\\n  {action.options}" if action.options else ""
    line = f'duly {action.command} {target}{options} \\\n  --actor maria --reason "as agreed"'
    return f"\n\nOr on a terminal, for example\n\n```\n{line}\n```"


def _with(action: OperatorAction) -> str:
    return f", with `{action.fields}`" if action.fields else "" if action.takes_command else " (no data)"
