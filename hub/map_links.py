"""A link that opens a place in the map service in use, in the coordinates that service draws in.

Mixed up, the place is 350 m off on average: the wrong building. Only the position is in the link.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hub.geo import Point, from_wgs84
from schemas.alarms import Datum

DIGITS = 5
"""A metre; every further one costs a character of a short message."""


@dataclass(frozen=True, slots=True)
class MapService:
    """One maker of maps."""

    datum: Datum
    link: str


SERVICES: Mapping[str, MapService] = {
    "amap": MapService(Datum.GCJ02, "https://uri.amap.com/marker?position={x},{y}"),
    "tencent": MapService(
        Datum.GCJ02,
        "https://apis.map.qq.com/uri/v1/marker?marker=coord:{y},{x};title:SOS&referer=carebell",
    ),
    "baidu": MapService(
        Datum.BD09,
        "https://api.map.baidu.com/marker?location={y},{x}&title=SOS&content=SOS&output=html"
        "&coord_type=bd09ll&src=carebell",
    ),
    "openstreetmap": MapService(
        Datum.WGS84, "https://www.openstreetmap.org/?mlat={y}&mlon={x}#map=18/{y}/{x}"
    ),
    "google": MapService(Datum.WGS84, "https://www.google.com/maps/search/?api=1&query={y},{x}"),
    "none": MapService(Datum.WGS84, "geo:{y},{x}"),
}
"""By the setting `map_service`. Without one a telephone opens its own map (RFC 5870)."""


def map_link(service: str, latitude: float, longitude: float) -> str:
    """The link of a place in WGS-84.

    >>> map_link("openstreetmap", 48.20849, 16.37208)
    'https://www.openstreetmap.org/?mlat=48.20849&mlon=16.37208#map=18/48.20849/16.37208'
    """
    chosen = SERVICES[service]
    point = from_wgs84(Point(latitude, longitude), chosen.datum)
    return chosen.link.format(y=f"{point.latitude:.{DIGITS}f}", x=f"{point.longitude:.{DIGITS}f}")
