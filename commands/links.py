"""Addresses in the Temporal UI."""

from urllib.parse import quote

from settings import Settings


def link_line(link: str) -> tuple[str, ...]:
    """Return the line that shows a link to people, if there is one."""
    return (f"Temporal UI: {link}",) if link else ()


def workflow_link(settings: Settings, workflow_id: str, run_id: str = "", event: int = 0) -> str:
    """Return the address of a workflow, of one of its executions, or of an event; "" when no UI is set."""
    if not settings.temporal_ui_url:
        return ""
    base, namespace = settings.temporal_ui_url.rstrip("/"), quote(settings.temporal_namespace, safe="")
    link = f"{base}/namespaces/{namespace}/workflows/{quote(workflow_id, safe='')}"
    if not run_id:
        return link
    return f"{link}/{run_id}/history" + (f"/events/{event}" if event else "")
