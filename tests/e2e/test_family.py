"""The family's page in a real browser against the whole hub, with a push service beside it."""

import asyncio
import gzip
import json

import psycopg
import pytest
from playwright.async_api import Browser, Page, expect

from hub.embedded.database import database_url
from tests.e2e.demo_hub import DemoHub
from tests.e2e.desk_client import DeskClient
from tests.e2e.desk_page import LOOKS, ONE_LOOP, dispatcher, go, log_in, looked_at, reached_by_tab
from tests.e2e.phone_page import PHONE, device_of, home_of, phone
from tests.e2e.pressing import press as button_press
from tests.providers import running_providers

pytestmark = [pytest.mark.e2e, ONE_LOOP]

SOON_MS = 15_000
PAGE_BYTES = 100_000
THUMB_PX = 44
"""Of a control, at least (WCAG 2.5.5)."""
SUBSCRIBES = """
  PushManager.prototype.subscribe = async function (options) {
    window.wanted_key = new Uint8Array(options.applicationServerKey).length;
    const told = %s;
    this.getSubscription = PushManager.prototype.getSubscription = async () => made;
    const made = {endpoint: told.endpoint, toJSON: () => told, unsubscribe: async () => true};
    return made;
  };
  true
"""
"""The browser's own push service is far away: this one is beside the hub."""


async def daughter(desk: DeskClient, hub: DemoHub, name: str, *people: str) -> None:
    """A family account that decides for these people, with a password of its own."""
    made = await desk.asked("POST", "accounts", username=name, area_id="city", name="Li Na",
                       role="family", language="en")  # fmt: skip
    account_id = made["account"]["id"]
    for person in people:
        await desk.asked("PUT", f"people/{person}/family/{account_id}", relation="mother",
                    decides=True)  # fmt: skip
    with psycopg.connect(database_url(hub.folder)) as connection:
        connection.execute(
            "UPDATE account SET must_change_password = false, password_hash ="
            " (SELECT password_hash FROM account WHERE username = 'admin') WHERE username = %s",
            (name,),
        )


async def family(chromium: Browser, hub: DemoHub, name: str, language: str, theme: str) -> Page:
    """Logged in on a phone, and live."""
    page = await (await phone(chromium, language, theme)).new_page()
    await page.goto(f"{hub.url}/family/")
    await log_in(page, name, hub.password)
    await expect(page.get_by_test_id("relative").first).to_be_visible(timeout=SOON_MS)
    return page


async def press(desk: DeskClient, hub: DemoHub, home: str) -> str:
    """The person's button; the incident's id."""
    return await button_press(hub, (await device_of(desk, home, "button"))["mqtt"])


@pytest.mark.parametrize(("language", "theme"), LOOKS)
async def test_from_all_is_well_to_i_am_going(
    chromium: Browser, hub: DemoHub, desk: DeskClient, language: str, theme: str
) -> None:
    """Two parents; one presses; the daughter goes, cannot go after all, and reads what was."""
    short, look = language[:2].lower(), f"{language[:2]}-{theme}"
    await home_of(desk, f"kin-{short}", "赵玉珍", language)
    await home_of(desk, f"kin-{short}-2", "钱建国", language)
    people = [f"kin-{short}-person", f"kin-{short}-2-person"]
    await daughter(desk, hub, f"daughter-{short}", *people)
    page = await family(chromium, hub, f"daughter-{short}", language, theme)
    await expect(page.get_by_test_id("relative")).to_have_count(2)
    await expect(page.locator("[data-testid=relative][data-well=true]")).to_have_count(2)
    await expect(page.locator("[data-activity=not_shared]")).to_have_count(2)
    await looked_at(page, f"family-well-{look}")
    assert "settings" in await reached_by_tab(page)

    await page.get_by_test_id("open-share").last.click()
    activity = page.locator("[data-data=activity]")
    await activity.get_by_role("switch").click()
    await expect(activity).to_have_attribute("data-decided", "true")
    await looked_at(page, f"family-share-{look}")
    await page.get_by_test_id("back").click()
    await expect(page.locator("[data-activity=nothing_measured]")).to_have_count(1, timeout=SOON_MS)

    incident_id = await press(desk, hub, f"kin-{short}")
    await page.get_by_test_id("urgent").click()
    await expect(page.get_by_test_id("incident")).to_have_attribute("data-state", "raised")
    await expect(page.get_by_test_id("call")).to_have_attribute("href", "tel:+8613800000001")
    assert {"going", "call"} <= set(await reached_by_tab(page))
    for control in ("going", "back"):
        box = await page.get_by_test_id(control).bounding_box()
        assert box is not None
        assert PHONE["height"] / 2 < box["y"] < PHONE["height"] - box["height"], "out of reach"
        assert box["height"] >= THUMB_PX
    await page.get_by_test_id("going").press("Enter")
    await page.get_by_test_id("going-15").press("Enter")
    incident = page.get_by_test_id("incident")
    await expect(incident).to_have_attribute("data-answer", "going", timeout=SOON_MS)
    await expect(page.get_by_test_id("who-knows")).to_be_visible()
    await looked_at(page, f"family-going-{look}")
    told = await desk.asked("GET", f"incidents/{incident_id}")
    assert [r["name"] for r in told["responders"] if r["answer"] == "going"] == ["Li Na"]
    await page.get_by_test_id("withdraw").click()
    await expect(incident).to_have_attribute("data-answer", "declined", timeout=SOON_MS)

    await desk.asked("POST", f"incidents/{incident_id}/acknowledge")
    await expect(incident).to_have_attribute("data-state", "acknowledged", timeout=SOON_MS)
    await desk.asked("POST", f"incidents/{incident_id}/resolve", outcome="helped")
    await page.get_by_test_id("back").click()
    await expect(page.locator("[data-testid=relative][data-well=true]")).to_have_count(2)
    await page.get_by_test_id("open-history").last.click()
    await expect(page.get_by_test_id("history").get_by_role("listitem")).to_have_count(1)
    await looked_at(page, f"family-history-{look}")


async def test_what_the_desk_writes_down_shows_at_once(
    chromium: Browser, hub: DemoHub, desk: DeskClient
) -> None:
    """On the page that is open already; and a daughter who is told nothing is not told that all
    is well."""
    await home_of(desk, "staff", "吴凤英")
    await daughter(desk, hub, "daughter-staff", "staff-person")
    page = await family(chromium, hub, "daughter-staff", "en", "light")
    await expect(page.locator("[data-activity=not_shared]")).to_be_visible()
    staff = await dispatcher(chromium, hub)
    await go(staff, "people/staff-person")
    await staff.locator("[data-cell='family activity']").select_option("yes")
    await staff.locator("[data-cell='family incidents']").select_option("no")
    await staff.get_by_test_id("consent-ground").fill("form 12")
    await staff.get_by_test_id("consent-save").click()
    await expect(staff.get_by_test_id("consent-decided")).to_contain_text("form 12")
    await looked_at(staff, "consent-en-light")
    await expect(page.locator("[data-activity=nothing_measured]")).to_be_visible(timeout=SOON_MS)
    await expect(page.get_by_text("not shared with you")).to_be_visible(timeout=SOON_MS)
    await expect(page.locator("[data-well=true]")).to_have_count(0)


async def test_a_push_shows_while_nothing_is_open_and_leads_to_the_incident(
    chromium: Browser, hub: DemoHub, desk: DeskClient
) -> None:
    """Subscribed in the browser, sent by the courier, encrypted for this browser alone, delivered
    to the real service worker."""
    await home_of(desk, "push", "孙秀英")
    await daughter(desk, hub, "daughter-push", "push-person")
    async with running_providers() as town:
        own = town.push.subscribes()
        page = await family(chromium, hub, "daughter-push", "en", "light")
        told = {**own.subscription(), "endpoint": "https://push.example.org/own"}
        await page.evaluate(SUBSCRIBES % json.dumps(told))
        await page.get_by_test_id("settings").click()
        await page.get_by_test_id("push-on").click()
        await expect(page.locator("[data-testid=push][data-state=on]")).to_be_visible()
        assert await page.evaluate("wanted_key") == 65, "an uncompressed point of P-256"
        await looked_at(page, "family-settings-en-light")
        with psycopg.connect(database_url(hub.folder)) as connection:
            connection.execute("UPDATE push_subscription SET endpoint = %s", (own.endpoint,))
        await page.get_by_role("button", name="Try it").click()
        for _ in range(150):
            if own.inbox:
                break
            await asyncio.sleep(0.1)
        assert own.inbox, "the push service was given nothing"
        incident_id = await press(desk, hub, "push")
        message = own.inbox[0] | {"incident_id": incident_id}
        debugger = await page.context.new_cdp_session(page)
        registrations: list[str] = []
        debugger.on(
            "ServiceWorker.workerRegistrationUpdated",
            lambda event: registrations.extend(
                r["registrationId"] for r in event["registrations"] if not r["isDeleted"]
            ),
        )
        await debugger.send("ServiceWorker.enable")
        for _ in range(50):
            if registrations:
                break
            await asyncio.sleep(0.1)
        delivered = {"origin": hub.url, "registrationId": registrations[-1],
                     "data": json.dumps(message)}  # fmt: skip
        await debugger.send("ServiceWorker.deliverPushMessage", delivered)
        (worker,) = page.context.service_workers
        shown = """async () => (await registration.getNotifications()).map(n => n.title)"""
        titles: list[str] = []
        for _ in range(50):
            if titles := await worker.evaluate(shown):
                break
            await asyncio.sleep(0.1)
        assert titles == [message["title"]]
        await worker.evaluate(
            "async () => { const [notification] = await registration.getNotifications();"
            " dispatchEvent(new NotificationEvent('notificationclick', {notification})); }"
        )
        await expect(page.get_by_test_id("incident")).to_be_visible(timeout=SOON_MS)
        assert page.url.endswith(f"#/incident/{incident_id}")


async def test_without_a_line_the_page_opens_and_says_so(
    chromium: Browser, hub: DemoHub, desk: DeskClient
) -> None:
    """And shows nothing of what it knew; it is light enough for a train."""
    await home_of(desk, "cut", "周桂芳")
    await daughter(desk, hub, "daughter-cut", "cut-person")
    page = await family(chromium, hub, "daughter-cut", "en", "light")
    await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    names = await page.evaluate("performance.getEntriesByType('resource').map(e => e.name)")
    sent = 0
    for name in {page.url, *(each for each in names if each.endswith((".js", ".css", ".svg")))}:
        sent += len(gzip.compress(await (await page.request.get(name)).body(), 5))
    assert 0 < sent < PAGE_BYTES
    await page.context.set_offline(True)
    await page.reload()
    offline = page.get_by_test_id("offline")
    await expect(offline).to_contain_text("Last seen at", timeout=SOON_MS)
    await expect(page.get_by_text("周桂芳")).to_have_count(0)
    await looked_at(page, "family-offline-en-light")
    await page.context.set_offline(False)
    await expect(page.get_by_test_id("relative")).to_have_count(1, timeout=SOON_MS)
