"""The few forms of Markdown that the Temporal UI shows well."""

from collections.abc import Sequence

_GAP = "  "


def aligned(rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset()) -> str:
    """Return rows, the first of them the heading, as aligned text: the UI sets a Markdown table without any gaps."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = (
        _GAP.join(
            cell.rjust(width) if index in right else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
    return "\n".join(("```", *lines, "```"))


def listed(title: str, lines: Sequence[str], *, recent: int) -> str:
    """Return the latest lines under a title, and where the earlier ones are; nothing when there are none."""
    if not lines:
        return ""
    earlier = f"\n\n{len(lines) - recent} earlier ones: the query `status`" if len(lines) > recent else ""
    return f"**{title}**\n\n" + "\n".join(f"- {line}" for line in lines[-recent:]) + earlier


def beginning(stage: str, what: str) -> str:
    """Return what is said before the first row is written: also what a workflow that was refused shows for good."""
    return f"### {stage}\n\n{what}.\n\nIf it failed, nothing was written: its error names the field and the rule."


def paragraphs(*parts: str) -> str:
    """Join what there is to say."""
    return "\n\n".join(part for part in parts if part)
