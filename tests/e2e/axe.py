"""axe-core against a page: WCAG 2.2 up to AA, as the browser sees it."""

from pathlib import Path

from playwright.async_api import Page

SCRIPT = Path(__file__).parents[2] / "hub/web/node_modules/axe-core/axe.min.js"
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


async def violations(page: Page) -> list[str]:
    """What axe finds; empty where there is nothing. Raises where it did not really look.

    The script is put in over the debugger's line: the page's own headers forbid foreign scripts.
    """
    session = await page.context.new_cdp_session(page)
    await session.send("Runtime.evaluate", {"expression": SCRIPT.read_text(encoding="utf-8")})
    found = await page.evaluate(
        "levels => axe.run(document, {runOnly: levels, resultTypes: ['violations', 'passes']})",
        LEVELS,
    )
    assert len(found["passes"]) > 5, "axe saw no page"
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in found["violations"]
        for node in each["nodes"]
    ]
