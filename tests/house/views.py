"""The table of the operators' views, as docs/operations.md has it: `python -m tests.house.views` prints it."""

import sys

from commands.operations.saved_views import VIEWS, View, link_of

# Where docker-compose.yml serves the UI.
UI = "http://127.0.0.1:8080"


def view_rows() -> list[str]:
    """Return a row for each view; one that nothing is filled in has its link."""
    return [f"| {_name(view)} | {view.meaning} | `{view.query}` |" for view in VIEWS]


def _name(view: View) -> str:
    if view.wants:
        return view.name
    return f"[{view.name}]({link_of(view, view.query, ui_url=UI, namespace='default')})"


if __name__ == "__main__":
    sys.stdout.write("\n".join(view_rows()) + "\n")
