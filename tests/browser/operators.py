"""What an operator does in the Temporal UI, in the words that the UI itself uses."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from playwright.async_api import FrameLocator, Locator, Page, expect

NAMESPACE = "default"

# Columns of the list, as the sliders at its foot set them.
COLUMNS = (
    "Status",
    "Workflow ID",
    "Stage",
    "DeclineCode",
    "NextActionAt",
    "AmountMinor",
    "Currency",
)
WIDTH = 1440


@dataclass(frozen=True)
class Operator:
    """One person in front of one page; `pictures` is where screenshots go, if any are wanted."""

    page: Page
    ui_url: str
    pictures: Path | None

    async def open_list(self) -> None:
        """Open the list of workflows."""
        await self.page.goto(f"{self.ui_url}/namespaces/{NAMESPACE}/workflows")

    async def choose_columns(self) -> None:
        """Show business columns in the list, where the UI itself keeps that choice."""
        columns = json.dumps({NAMESPACE: [{"label": label} for label in COLUMNS]})
        await self.page.evaluate("value => localStorage.setItem('namespace-workflow-table-columns', value)", columns)

    async def filter_by(self, attribute: str, value: str) -> None:
        """Narrow the list to one value of a search attribute."""
        await self.page.get_by_role("button", name="Add Filter").first.click()
        await self.page.keyboard.type(attribute)
        await (
            self.page.get_by_role("menuitem", name=attribute)
            .or_(self.page.get_by_role("option", name=attribute))
            .last.click()
        )
        await self.page.get_by_placeholder("Enter value").fill(value)
        await self.page.get_by_role("button", name="Apply").click()

    async def listed(self, count: int) -> list[str]:
        """Return the ids in the list, once there are so many."""
        rows = self.page.locator("tbody tr").filter(has=self.page.get_by_role("link"))
        await expect(rows).to_have_count(count, timeout=60_000)
        return [await row.get_by_role("link").first.inner_text() for row in await rows.all()]

    async def open(self, workflow_id: str) -> None:
        """Open a workflow from wherever its id is a link."""
        await self.page.get_by_role("link", name=workflow_id, exact=True).first.click()
        await self._tab("Timeline").wait_for()

    async def go_to(self, workflow_id: str, run_id: str) -> None:
        """Open an execution by its address."""
        path = f"/namespaces/{NAMESPACE}/workflows/{quote(workflow_id, safe='')}/{run_id}/timeline"
        await self.page.goto(self.ui_url + path)
        await self._tab("Timeline").wait_for()

    async def timeline(self, text: str) -> str:
        """Scroll to the timeline and return the label of a bar on it; only what is on the screen is drawn."""
        bar = self.page.locator("button.event").filter(has_text=re.compile(text)).first
        label = await bar.inner_text()
        await self.page.get_by_role("heading", name="Timeline").last.evaluate("heading => heading.scrollIntoView()")
        return label

    async def details(self, heading: str) -> str:
        """Return the current details, once their heading begins like this."""
        await self._tab("User Metadata").click()
        details = self._current_details()
        await details.get_by_role("heading", name=re.compile(f"^{heading}")).wait_for()
        return await details.locator("main").inner_text()

    async def send_update(self, name: str, data: Mapping[str, str]) -> None:
        """Send an update from the menu of actions."""
        await self.page.get_by_role("button", name="More Actions").last.click()
        await self.page.get_by_role("menuitem", name="Send an Update").last.click()
        await self.page.get_by_test_id("update-select-button").last.click()
        await self.page.get_by_role("option", name=re.compile(f"^{name}")).last.click()
        await self.page.locator("#modal-content-update-confirmation-modal .cm-content").last.click()
        await self.page.keyboard.insert_text(json.dumps(data))
        # Leaving the field sets the JSON out, which moves the button.
        await self.page.locator("#modal-title-update-confirmation-modal").last.click()
        await self.page.get_by_role("button", name="Submit").last.click()
        await self.page.locator("#modal-title-update-confirmation-modal").last.wait_for(state="hidden")

    async def sees(self, status: str) -> None:
        """Wait until the page shows the workflow in a status."""
        await self.page.get_by_text(status, exact=True).locator("visible=true").first.wait_for()

    async def picture(self, name: str, height: int) -> None:
        """Keep what is on a screen so high as a picture of the documents."""
        if self.pictures is not None:
            await self.page.set_viewport_size({"width": WIDTH, "height": height})
            await self.page.wait_for_timeout(1500)  # The UI draws its icons after its texts.
            await self.page.screenshot(path=self.pictures / f"{name}.png")

    def _tab(self, name: str) -> Locator:
        return self.page.get_by_role("link", name=name).or_(self.page.get_by_role("tab", name=name)).first

    def _current_details(self) -> FrameLocator:
        return self.page.frame_locator("iframe").last
