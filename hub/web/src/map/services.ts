// A link that opens a position in the map service in use, in the coordinates that service draws in.
// Only the position leaves the hub: no name, no address.

import { toGcj02 } from "./datum";
import type { Place } from "./projection";

export type MapService = "none" | "amap" | "baidu" | "tencent" | "openstreetmap" | "google";

const DIGITS = 6; // a tenth of a metre

/** Null: no service is in use. */
export function mapLink(service: MapService, place: Place): string | null {
  const figures = ({ latitude, longitude }: Place): [string, string] => [
    latitude.toFixed(DIGITS),
    longitude.toFixed(DIGITS),
  ];
  const [latitude, longitude] = figures(place);
  const [shifted_latitude, shifted_longitude] = figures(toGcj02(place));
  switch (service) {
    case "amap":
      return `https://uri.amap.com/marker?position=${shifted_longitude},${shifted_latitude}`;
    case "baidu":
      return (
        "https://api.map.baidu.com/marker?output=html&coord_type=gcj02&title=SOS&content=SOS" +
        `&location=${shifted_latitude},${shifted_longitude}&src=carebell`
      );
    case "tencent":
      return (
        "https://apis.map.qq.com/uri/v1/marker?referer=carebell" +
        `&marker=coord:${shifted_latitude},${shifted_longitude};title:SOS`
      );
    case "openstreetmap":
      return (
        `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}` +
        `#map=18/${latitude}/${longitude}`
      );
    case "google":
      return `https://www.google.com/maps/search/?api=1&query=${latitude},${longitude}`;
    case "none":
      return null;
  }
}
