"""How the updates that make sense now are shown to an operator: here, in the UI, and on the command line."""

from collections.abc import Sequence
from dataclasses import dataclass

WHO = '"actor": "maria", "reason": "as agreed"'


@dataclass(frozen=True)
class Order:
    """One update: what it is for, what else it takes, and the command of `starter.py` that sends it."""

    update: str
    meaning: str
    command: str = ""
    fields: str = ""
    options: str = ""
    takes_order: bool = True

    @property
    def data(self) -> str:
        """An example of what the UI's dialog takes, as JSON; nothing for an update without arguments."""
        fields = (WHO, self.fields) if self.takes_order else (self.fields,)
        return f"{{{', '.join(field for field in fields if field)}}}" if any(fields) else ""


def orders_text(orders: Sequence[Order], *, target: str) -> str:
    """Return what can be done, in Markdown: each order with its data for the UI, the first as a command too."""
    if not orders:
        return ""
    listed = "\n".join(f"- `{order.update}` {order.meaning}{_with(order)}" for order in orders)
    return (
        f"**What you can do**: More Actions, Send an Update, with `{{{WHO}}}` and what is said here\n\n{listed}"
        f"{_on_a_terminal(orders[0], target)}"
    )


def _on_a_terminal(order: Order, target: str) -> str:
    if not order.command:
        return ""
    options = f" \\\n  {order.options}" if order.options else ""
    line = f'starter.py {order.command} {target}{options} \\\n  --actor maria --reason "as agreed"'
    return f"\n\nOr on a terminal, for example\n\n```\n{line}\n```"


def _with(order: Order) -> str:
    return f", with `{order.fields}`" if order.fields else "" if order.takes_order else " (no data)"
