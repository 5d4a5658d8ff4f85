"""What the page shows besides what the hub knows: maps of others."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel

from hub.keys.key import setting


def _tile_template(text: str) -> str:
    """Accept nothing, or an https address with the places of a tile.

    >>> _tile_template("https://tiles.example/{z}/{x}/{y}.png")
    'https://tiles.example/{z}/{x}/{y}.png'
    """
    if text == "":
        return text
    places = all(place in text for place in ("{z}", "{x}", "{y}"))
    if (
        not text.startswith(("https://", "http://"))
        or not places
        or any(c in text for c in " ;,'\"")
    ):
        message = (
            "an address with {z}, {x} and {y}, for example https://tiles.example/{z}/{x}/{y}.png"
        )
        raise ValueError(message)
    return text


class PageKeys(BaseModel):
    """What the page shows besides what the hub knows: maps of others."""

    map_tiles: Annotated[str, AfterValidator(_tile_template)] = setting(
        "",
        "Where the map's pictures come from, with {z}, {x} and {y}. Empty: positions, zones and "
        "scale on a plain grid, and nothing is loaded from foreign hosts.",
        source="nothing is asked of others unless an operator wants it",
    )
    map_tiles_datum: Literal["wgs84", "gcj02"] = setting(
        "wgs84",
        "The coordinates of those pictures: gcj02 for maps published in mainland China.",
        source="mainland law has maps drawn in GCJ-02",
    )
    map_tiles_credit: str = setting(
        "",
        "Whom the map must name, for example © OpenStreetMap contributors.",
        source="licences of map data ask for it",
        max_length=200,
    )
    map_service: Literal["none", "amap", "baidu", "tencent", "openstreetmap", "google"] = setting(
        "none",
        "The map service that a position's link opens in. Its coordinates are converted.",
        source="Amap, Baidu and Tencent are what mainland China uses",
    )
