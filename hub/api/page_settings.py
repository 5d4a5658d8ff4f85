"""What the page must know of the hub's settings; it comes with the log-in."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict


class PageSettings(BaseModel):
    """How this hub's page draws maps, and which number people call."""

    model_config = ConfigDict(frozen=True)

    map_tiles: str = ""
    """Empty: a plain grid."""
    map_tiles_datum: Literal["wgs84", "gcj02"] = "wgs84"
    map_tiles_credit: str = ""
    map_service: Literal["none", "amap", "baidu", "tencent", "openstreetmap", "google"] = "none"
    hotline_number: str = ""
    time_zone: str = "Asia/Shanghai"
    """Of homes that name none."""

    def pictures_from(self) -> str:
        """The foreign host whose pictures the page may load, for the security headers; or nothing.

        >>> PageSettings(map_tiles="https://{s}.tiles.example/{z}/{x}/{y}.png").pictures_from()
        'https://*.tiles.example'
        """
        if not self.map_tiles:
            return ""
        place = urlsplit(self.map_tiles)
        return f"{place.scheme}://{place.netloc.replace('{s}', '*')}"


USUAL_PAGE = PageSettings()
"""Nothing is loaded from foreign hosts."""
