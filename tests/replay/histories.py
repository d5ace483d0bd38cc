"""Recorded histories: kept without anything about the machine or a person."""

import json
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHandle, WorkflowHistory

from tests.upgrades.kept_release import releases

FOLDER = Path(__file__).parent / "histories"

# Who worked on a task, and where its program lay, is nobody's business and no part of a replay.
_IDENTITIES = frozenset({"identity", "requestId", "binaryChecksum"})


def recorded() -> list[Path]:
    """Every history that is kept, by name."""
    return sorted(FOLDER.glob("*.json"))


def load(path: Path) -> WorkflowHistory:
    """Read a history, under the id that its workflow had."""
    text = path.read_text(encoding="utf-8")
    return WorkflowHistory.from_json(json.loads(text)["workflowId"], text)


async def keep(name: str, handle: WorkflowHandle[Any, Any], folder: Path = FOLDER) -> None:
    """Write a history down in a folder, one event a line, under a name that says what happened in it.

    What a release had recorded stays: the same path of today is kept beside it, under that release's name.
    """
    released = [release.version for release in releases() if release.has_recorded(f"{name}.json")]
    name = f"{name}-after_{released[-1]}" if released else name
    history = json.loads((await handle.fetch_history()).to_json())
    lines = ",\n".join(json.dumps(_anonymous(event), ensure_ascii=False) for event in history["events"])
    _write(folder / f"{name}.json", f'{{"workflowId": "{handle.id}", "events": [\n{lines}\n]}}\n')


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def _anonymous(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        if value.get("kind") == "TASK_QUEUE_KIND_STICKY":
            return value | {"name": "sticky"}
        return {name: _anonymous(part, name) for name, part in value.items()}
    if isinstance(value, list):
        return [_anonymous(part) for part in value]
    if key == "stackTrace":
        return ""
    return "recorder" if key in _IDENTITIES else value
