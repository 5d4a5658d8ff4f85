"""A phone's browser in front of the family's page and of the elder's, for their tests."""

from typing import Any

from playwright.async_api import Browser, BrowserContext, Geolocation, ViewportSize

from tests.e2e.desk_client import DeskClient

PHONE: ViewportSize = {"width": 390, "height": 844}
PLACE: Geolocation = {"latitude": 31.2310, "longitude": 121.4740, "accuracy": 12}
FELT = """
  window.spoken = []; window.felt = [];
  speechSynthesis.speak = said => spoken.push([said.lang, said.text]);
  navigator.vibrate = pattern => { felt.push(pattern); return true; };
"""
"""A headless browser has no voice and no motor: what the page asks of them is kept."""


async def phone(
    launched: Browser,
    language: str = "en",
    theme: str = "light",
    *,
    zone: str = "Asia/Shanghai",
    locale: str = "",
    place: Geolocation = PLACE,
) -> BrowserContext:
    """A phone of its own, with permission for the position and for notifications."""
    context = await launched.new_context(
        viewport=PHONE, device_scale_factor=2, has_touch=True, is_mobile=True,
        locale=locale or language, timezone_id=zone, geolocation=place,
        permissions=["geolocation", "notifications"],
        color_scheme="dark" if theme == "dark" else "light",
    )  # fmt: skip
    await context.add_init_script(f"localStorage.setItem('carebell.language', '{language}')")
    await context.add_init_script(FELT)
    return context


async def home_of(desk: DeskClient, home: str, name: str, language: str = "en") -> None:
    """A home in town with one person."""
    await desk.asked("POST", "premises", id=home, area_id="city", address="长青巷 12 号 301",
                latitude=31.2304, longitude=121.4737, time_zone="Asia/Shanghai")  # fmt: skip
    await desk.asked("POST", "people", id=f"{home}-person", premises_id=home, name=name,
                language=language, phone="+86 138 0000 0001")  # fmt: skip


async def device_of(desk: DeskClient, home: str, kind: str) -> dict[str, Any]:
    """A device of that person, as it was provisioned."""
    made: dict[str, Any] = await desk.asked(
        "POST", "devices", id=f"{home}-{kind}", kind=kind, premises_id=home,
        person_id=f"{home}-person",
    )  # fmt: skip
    return made
