"""The pieces of the page on performance."""

from collections.abc import Iterable

from bench.machine import Machine


def section(title: str, *blocks: str) -> str:
    """Write a section: its title and its blocks."""
    text = f"## {title}\n"
    for before, block in zip(("", *blocks), blocks, strict=False):
        # The items of one list stand together.
        gap = "" if before.startswith("- ") and block.startswith("- ") else "\n"
        text += f"{gap}{block}\n"
    return text


def table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    """Write a table."""
    lines = (head, ("---",) * len(head), *rows)
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def at_least(what: str, figure: float, target: float, form: str) -> str:
    """Say that so much was wanted at least, and what was measured."""
    return verdict(f"{target:g} {what}", format(figure, form), met=figure >= target)


def verdict(target: str, figure: str, *, met: bool) -> str:
    """Say what was wanted, what was measured, and whether that will do."""
    return f"- Target: {target}. Measured: {figure}. {'Met.' if met else '**Fell short.**'}"


def on(machine: Machine) -> str:
    """Say what machine it was measured on."""
    versions = ", ".join(f"{name} {number}" for name, number in machine.versions.items())
    return (
        f"Measured on {machine.measured_on}: {machine.cores} cores of {machine.processor}, {machine.memory_gib} GiB,"
        f" {machine.system}; {versions}."
    )
