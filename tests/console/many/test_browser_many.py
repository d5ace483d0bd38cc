"""Views and mass actions in a real browser: with and without scripts, by keys, wide and narrow, nothing serious.

DULY_SCREENSHOTS names a folder for the pictures of the documents; without it none is kept.
"""

import pytest
from playwright.async_api import Page, expect

from models.console.roles import ConsoleRole
from tests.console.conftest import PASSWORD
from tests.console.files.test_browser_writing import has_pictures, signs_in
from tests.console.test_browser import Person, address, person  # noqa: F401  # fixtures
from tests.operations.lists.conftest import busy  # noqa: F401  # the fixture
from web.context import Web


async def keeps_a_view(page: Page, url: str) -> None:
    """Filter the collections, and keep that as a view."""
    await page.goto(f"{url}/collections?state=open")
    await page.get_by_role("link", name="Save as a view").click()
    await page.get_by_label("Name", exact=True).fill("Open in the morning")
    await page.get_by_label("Share it with all").check()
    await page.get_by_role("button", name="Save").click()
    shown = page.get_by_role("navigation", name="Views of this list").get_by_role("link", name="Open in the morning")
    await expect(shown).to_have_attribute("aria-current", "true")


async def chooses_rows(page: Page) -> int:
    """Choose a row by keys, then all of them; return how many."""
    await page.keyboard.press("j")
    await page.keyboard.press("x")
    await expect(page.get_by_text("1 chosen")).to_be_visible()
    # the row is that of the focus, however it came there
    await page.locator("table.rows tbody tr").last.locator("a").first.focus()
    await page.keyboard.press("x")
    await expect(page.locator("td.pick input").last).to_be_checked()
    await page.get_by_role("link", name="Choose all on this page").click()
    many = await page.locator("td.pick input:checked").count()
    await expect(page.get_by_text(f"{many} chosen")).to_be_visible()
    return many


async def previews(page: Page, action: str) -> None:
    """Choose an action for the rows that are chosen, and preview it."""
    await page.get_by_label("With those chosen").select_option(label=action)
    await page.get_by_role("button", name="Preview").click()
    await expect(page.get_by_text("What it is done to").first).to_be_visible()


@pytest.mark.browser
@pytest.mark.nightly
async def test_a_view_is_kept_and_its_rows_are_skipped_and_extended_at_once(
    acting: None,
    person: Person,  # noqa: F811
    web: Web,
    busy: list[str],  # noqa: F811
) -> None:
    await web.users.add("maria", ConsoleRole.ADMINISTRATOR, PASSWORD)
    page, url = person.page, person.url
    await signs_in(page, url)
    await keeps_a_view(page, url)

    # when a row is chosen by keys, then all of them, and they are left in peace for a while
    many = await chooses_rows(page)
    await person.picture("collections-chosen")
    await previews(page, "Extend")
    await person.picture("mass-action", full=True)
    await page.get_by_label("Leave in peace until").fill("2026-12-24")
    await page.get_by_label("Why, of all of them").fill("the provider had an outage")
    await page.get_by_role("button", name="Extend").click()
    await expect(page.get_by_role("heading", name="over")).to_be_visible(timeout=60_000)
    sent = page.url.removeprefix(url)
    await person.picture("mass-action-sent", full=True)

    # and without scripts
    context = await page.context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]
    plain = await context.new_page()
    await signs_in(plain, url)
    await plain.goto(f"{url}/collections?state=open")
    await plain.get_by_role("link", name="Choose all on this page").click()
    await expect(plain.locator("td.pick input:checked")).to_have_count(many)
    await previews(plain, "Skip the next try")
    await plain.get_by_label("Why, of all of them").fill("the same outage")
    await plain.get_by_role("button", name="Skip").click()
    await expect(plain.get_by_role("heading", name="Skip the next try")).to_be_visible(timeout=60_000)
    await context.close()

    # then nothing is serious, wide and narrow
    for name, path in {
        "console-view": "/collections?state=open",
        "console-views": "/views/collections?state=open&from=2026-01-01",
        "console-many": "/collections?state=open&picked=all",
        "console-sent": sent,
    }.items():
        await has_pictures(person, name, path)
    assert person.problems == []
