"""The desk's pages in a real browser against the whole hub: people, homes, devices, an incident."""

import gzip
import re
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Response, expect

from tests.e2e.demo_hub import DemoHub
from tests.e2e.desk_client import DeskClient
from tests.e2e.desk_page import (
    LOOKS,
    ONE_LOOP,
    dispatcher,
    go,
    home_of,
    log_in,
    looked_at,
    opened,
    reached_by_tab,
)
from tests.e2e.pressing import press

pytestmark = [pytest.mark.e2e, ONE_LOOP]

DESK_JAVASCRIPT_BYTES = 300_000
FAMILY_JAVASCRIPT_BYTES = 100_000
ACCESS_NOTES = [f"{n}. Second door, knock loudly and wait" for n in range(1, 10)]


async def test_what_is_loaded_cold(chromium: Browser, hub: DemoHub) -> None:
    """Compressed JavaScript of the desk and of the family's page; benchmarks/desk_page.py says how
    long it takes."""
    for path, most in (("/", DESK_JAVASCRIPT_BYTES), ("/family/", FAMILY_JAVASCRIPT_BYTES)):
        page = await (await chromium.new_context()).new_page()
        scripts: list[Response] = []

        def keep(response: Response, kept: list[Response] = scripts) -> None:
            if ".js" in response.url:
                kept.append(response)

        page.on("response", keep)
        await page.goto(hub.url + path, wait_until="commit")
        await page.get_by_test_id("login-username").wait_for()
        await page.wait_for_load_state("networkidle")
        sent = sum([len(gzip.compress(await each.body(), 5)) for each in scripts])
        assert scripts
        assert sent < most, path


async def _on_one_screen(page: Page) -> None:
    """What a dispatcher must see without a scroll, on the smallest screen that desks still have."""
    await page.get_by_test_id("key-safe").wait_for()
    await page.set_viewport_size({"width": 1366, "height": 768})
    for part in ("incident-head", "action-acknowledge", "action-call", "arrival-30", "persona",
                 "home", "plan", "cause", "next-step"):  # fmt: skip
        box = await page.get_by_test_id(part).bounding_box()
        assert box is not None, part
        assert box["y"] >= 0, part
        assert box["y"] + box["height"] <= 768, part
        assert box["x"] + box["width"] <= 1366, part
    name = page.get_by_test_id("own-name")
    assert await name.evaluate("name => name.scrollWidth <= name.clientWidth"), "a name is cut"
    notes = page.get_by_test_id("access-notes")
    await notes.focus()
    await page.keyboard.press("End")
    seen = "notes => notes.scrollTop + notes.clientHeight >= notes.scrollHeight - 1"
    await page.wait_for_function(seen, arg=await notes.element_handle())
    await page.set_viewport_size({"width": 1440, "height": 900})


async def by_keyboard(page: Page, language: str, *wanted: str) -> None:
    """Looked at in one language; the other has the same controls."""
    if language == "en":
        assert set(wanted) <= set(await reached_by_tab(page))


@pytest.mark.parametrize(("language", "theme"), LOOKS)
async def test_every_view_is_clean_for_axe(
    chromium: Browser, hub: DemoHub, desk: DeskClient, language: str, theme: str
) -> None:
    name = f"axe-{language.lower()}"
    button = await home_of(desk, name, name="赵玉珍", birth_year=1938, language="zh-CN",
                           lives_alone=True, medical_notes="Takes a blood thinner")  # fmt: skip
    await desk.asked("PATCH", f"premises/{name}", access_notes="\n".join(ACCESS_NOTES))
    await desk.asked("PUT", f"premises/{name}/key-safe", code="4711#", place="left of the door")
    two = [{"name": each, "relation": "daughter", "phone": "+86 139 0595 2231", "has_key": True}
           for each in ("Lin", "Na")]  # fmt: skip
    await desk.asked("PUT", f"people/person-{name}/contacts", items=two)
    incident_id = await press(hub, button)
    page = await opened(chromium, hub.url, language, theme)
    look = f"{language[:2]}-{theme}"
    await looked_at(page, f"log-in-{look}")
    await log_in(page, "admin", hub.password)
    await page.locator("[data-testid=connection-state][data-state=live]").wait_for()
    await go(page, f"incidents/{incident_id}")
    await page.get_by_test_id("persona").get_by_text("blood thinner").wait_for()
    await looked_at(page, f"incident-{look}")
    await _on_one_screen(page)
    await by_keyboard(page, language, "action-acknowledge", "arrival-5", "action-hand-off")
    for key, panel in (("e", "evidence"), ("c", "checklist"), ("l", "record")):
        await page.keyboard.press(key)
        await page.get_by_test_id(panel).wait_for()
        await page.wait_for_timeout(300)
        await looked_at(page, f"incident-{panel}-{look}")
    for view, mark in (
        ("resolved", "note"),
        ("people", "people-search"),
        (f"people/person-{name}", "zones"),
        (f"homes/{name}", "home-page"),
        ("homes/new", "home-form"),
        ("devices", "device-row"),
        (f"devices/button-{name}", "device-page"),
        (f"devices/button-{name}/test", "first-test"),
        ("devices/new", "provision-page"),
        ("import", "import-page"),
        ("settings", "password-form"),
        ("people/none-such", "note"),
    ):
        await go(page, view)
        await page.get_by_test_id(mark).first.wait_for()
        await page.wait_for_timeout(200)
        await looked_at(page, f"{view.split('/')[0]}-{mark}-{look}")
        await by_keyboard(page, language)
    await page.goto(f"{hub.url}/family/")
    await page.get_by_role("link").wait_for()
    await looked_at(page, f"family-{look}")


async def test_a_person_found_by_sound_and_set_up(
    chromium: Browser, hub: DemoHub, desk: DeskClient
) -> None:
    """Search by pinyin; contacts, state, a limit and a safe zone, all from the person's page."""
    await home_of(desk, "qian", name="钱桂芳")
    page = await dispatcher(chromium, hub)
    await page.keyboard.press("/")
    await page.get_by_test_id("people-search").fill("qianguifang")
    found = page.locator("[data-testid=person-row][data-id=person-qian]")
    await found.get_by_role("button").click()

    contacts = page.get_by_test_id("contacts")
    await contacts.get_by_test_id("contacts-edit").click()
    await contacts.locator("input[name=name]").fill("Wu")
    await contacts.locator("input[name=relation]").fill("son")
    await contacts.locator("input[name=phone]").fill("+86 138 0000")
    await contacts.get_by_test_id("contacts-save").click()
    await expect(contacts).to_contain_text("Wu")

    whereabouts = page.get_by_test_id("whereabouts")
    await whereabouts.locator("button[data-state=hospital]").click()
    await whereabouts.get_by_test_id("state-save").click()
    await expect(page.get_by_test_id("person-page").locator("h2")).to_contain_text("in hospital")

    limits = page.get_by_test_id("limits")
    await limits.get_by_test_id("limits-edit").click()
    await limits.locator("input[name=high]").fill("110")
    await limits.get_by_test_id("limit-save").click()
    await expect(limits).to_contain_text("110")

    zones = page.get_by_test_id("zones")
    await zones.get_by_test_id("zone-add").click()
    await zones.locator("input[name=label]").fill("Home and park")
    area = zones.get_by_role("application")
    await area.scroll_into_view_if_needed()
    await area.click(position={"x": 300, "y": 60})
    radius = await zones.locator("input[name=radius]").input_value()
    assert int(radius) != 200, "the second click sets how far the circle reaches"
    await zones.get_by_test_id("zone-save").click()
    await expect(zones).to_contain_text("Home and park")
    fences = (await desk.asked("GET", "people/person-qian/care"))["fences"]
    assert fences[0]["shapes"][0]["radius_m"] == int(radius)


async def test_the_family_is_let_in_and_a_contact_is_asked(
    chromium: Browser, hub: DemoHub, desk: DeskClient
) -> None:
    """A log-in for the family app, and the right to decide for the person, given and taken back;
    a test message to a contact, and what came of it."""
    await home_of(desk, "he", name="He Lan")
    wu = {"name": "Wu", "relation": "son", "phone": "+86 138 0000", "email": "wu@example.org"}
    await desk.asked("PUT", "people/person-he/contacts", items=[wu])
    page = await dispatcher(chromium, hub)
    await go(page, "people/person-he")
    kin = page.get_by_test_id("relatives")
    await kin.get_by_test_id("kin-new").click()
    await kin.locator("input[name=kin-name]").fill("Wu")
    await kin.locator("input[name=kin-username]").fill("wu-he")
    await kin.locator("input[name=kin-relation]").fill("son")
    await kin.get_by_test_id("kin-save").press("Enter")
    await expect(kin.get_by_test_id("kin-given")).to_contain_text("wu-he")
    decides = kin.get_by_test_id("decides")
    await expect(decides).not_to_be_checked()
    await decides.press(" ")
    await expect(decides).to_be_enabled()
    await expect(decides).to_be_checked()
    (member,) = (await desk.asked("GET", "people/person-he/family"))["items"]
    assert (member["name"], member["decides"]) == ("Wu", True)

    proofs = page.get_by_test_id("proofs")
    await expect(proofs).to_contain_text("Not proven yet")
    await proofs.get_by_test_id("proof-email").click()
    # This hub has no mail server: it must say so, not that it waits for an answer.
    proof = proofs.get_by_test_id("proof")
    await expect(proof).to_have_attribute("data-state", "failed", timeout=30_000)
    await expect(proof).to_contain_text("cannot send this way")


async def test_a_home_is_found_not_typed(chromium: Browser, hub: DemoHub, desk: DeskClient) -> None:
    """A device moves to a home that is looked for by its address."""
    await home_of(desk, "mo", name="Mo")
    await desk.asked("POST", "premises", id="mo-2", area_id="city", address="Harbour view 9")
    page = await dispatcher(chromium, hub)
    await go(page, "devices/button-mo")
    await page.get_by_test_id("device-move").click()
    await page.locator("[data-picker=premises]").fill("harbour")
    await page.get_by_role("option").filter(has_text="Harbour view 9").wait_for()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.locator("[data-picker=person]").click()
    await page.get_by_role("option").first.click()
    await page.get_by_test_id("device-confirm").click()
    await expect(page.get_by_test_id("device-page")).to_contain_text("Harbour view 9")


async def test_a_device_is_added_and_tested_from_room_to_room(
    chromium: Browser, hub: DemoHub, desk: DeskClient
) -> None:
    await home_of(desk, "sun", name="Sun")
    page = await dispatcher(chromium, hub)
    await go(page, "devices/new/person-sun")
    await page.locator("input[name=id]").fill("button-sun-2")
    await page.locator("input[name=label]").fill("bedside")
    await page.get_by_test_id("provision-submit").click()
    await expect(page.get_by_test_id("device-secret").locator("svg")).to_be_visible()
    password = await page.get_by_test_id("device-password").inner_text()
    new = {
        "username": "button-sun-2",
        "password": password,
        "topic_prefix": "care/v1/city/sun/button-sun-2",
    }
    await page.get_by_test_id("secret-test").click()
    state = page.get_by_test_id("test-state")
    await expect(state).to_have_attribute("data-received", "false")
    await press(hub, new, "test")
    await expect(state).to_have_attribute("data-received", "true")
    assert re.search(r"after \d+\.\d s", await state.inner_text()), await state.inner_text()
    await page.locator("button[data-room=kitchen]").click()
    await press(hub, new, "test")
    await expect(page.locator("[data-testid=walk-room][data-heard=true]")).to_contain_text(
        "Kitchen"
    )
    await page.locator("button[data-room=balcony]").click()
    await page.locator("button[data-room=bathroom]").click()
    await press(hub, new, "test")
    await expect(page.get_by_test_id("walk-test")).to_contain_text("Nothing from: Balcony")
    await page.reload()
    await go(page, "devices/button-sun-2")
    await expect(page.get_by_test_id("device-page")).to_contain_text("bedside")
    assert password not in await page.content()


async def test_an_import_shows_first_what_is_wrong(chromium: Browser, hub: DemoHub) -> None:
    """In the language of the page, as every refusal."""
    rows = (
        "kind,id,area,premises,address,name,birth_year\n"
        "premises,import-1,city,,1 Import Road,,\n"
        "person,import-p1,,import-1,,Good Row,1940\n"
        "person,import-p2,,import-1,,Bad Row,not-a-year\n"
    )
    page = await dispatcher(chromium, hub, "zh-CN")
    await go(page, "import")
    sheet: Any = {"name": "register.csv", "mimeType": "text/csv", "buffer": b"kind,id,colour\n"}
    await page.get_by_test_id("import-file").set_input_files(sheet)
    await expect(page.get_by_role("alert")).to_contain_text("第 1 行：没有名为 'colour' 的列")
    sheet["buffer"] = rows.encode()
    await page.get_by_test_id("import-file").set_input_files(sheet)
    errors = page.get_by_test_id("import-errors")
    await expect(errors).to_contain_text("not-a-year")
    await expect(errors).to_contain_text("birth_year")
    await expect(errors).to_contain_text("1880 到 2200 之间的年份")
    commit = page.get_by_test_id("import-commit")
    await expect(commit).to_be_disabled()
    await page.get_by_test_id("import-skip").check()
    await commit.click()
    report = page.get_by_test_id("import-report")
    await expect(report).to_have_attribute("data-committed", "true")
    await go(page, "people/import-p1")
    await expect(page.get_by_test_id("person-page")).to_contain_text("Good Row")
    await go(page, "people/import-p2")
    await expect(page.get_by_test_id("note")).to_have_attribute("data-kind", "missing")


async def test_an_installer_sees_devices_and_no_incidents(
    chromium: Browser, hub: DemoHub, desk: DeskClient
) -> None:
    """The page shows what the role may do; and a password somebody else chose opens nothing."""
    new = {"username": "fitter", "area_id": "city", "name": "Fitter", "role": "installer",
           "language": "en"}  # fmt: skip
    given = await desk.asked("POST", "accounts", **new)
    page = await opened(chromium, hub.url)
    await log_in(page, "fitter", given["password"])
    form = page.get_by_test_id("password-form")
    await _choose_password(form, given["password"], "eleven blue bicycles")
    await expect(page.get_by_test_id("devices-tab")).to_be_visible()
    await expect(page.get_by_test_id("queue-tab")).to_have_count(0)
    await expect(page.get_by_test_id("connection-state")).to_have_count(0)
    await go(page, "incidents")
    await expect(page.get_by_test_id("people-search")).to_be_visible()


async def _choose_password(form: Any, current: str, wanted: str) -> None:
    fields = form.locator("input[type=password]")
    await fields.nth(0).fill(current)
    await fields.nth(1).fill(wanted)
    await fields.nth(2).fill(wanted)
    await form.get_by_role("button").click()


async def test_a_family_sees_that_all_is_well_and_that_it_is_not(
    chromium: Browser, hub: DemoHub, desk: DeskClient
) -> None:
    button = await home_of(desk, "fam", name="Granny Fam")
    new = {"username": "niece", "area_id": "city", "name": "Niece", "role": "family",
           "language": "en"}  # fmt: skip
    given = await desk.asked("POST", "accounts", **new)
    account_id = given["account"]["id"]
    await desk.asked("PUT", f"people/person-fam/family/{account_id}", relation="niece")
    page = await opened(chromium, hub.url)
    await log_in(page, "niece", given["password"])
    await _choose_password(
        page.get_by_test_id("password-form"), given["password"], "seven green umbrellas"
    )
    await page.wait_for_url("**/family/")
    relative = page.get_by_test_id("relative")
    await expect(relative).to_have_attribute("data-well", "true")
    await press(hub, button)
    await expect(relative).to_have_attribute("data-well", "false", timeout=3000)
    await expect(relative).to_contain_text("hotline is ringing")
