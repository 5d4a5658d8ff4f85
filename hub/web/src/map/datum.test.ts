import { describe, expect, it } from "vitest";
import { fromGcj02, toGcj02 } from "./datum";
import { length_m, offsetFrom } from "./projection";
import { mapLink } from "./services";

// WGS-84 and GCJ-02 of the same places, as hub/geo.py converts them.
const PLACES = [
  [39.9066, 116.3908, 39.908001, 116.3970408],
  [31.2304, 121.4737, 31.2284577, 121.4782231],
  [23.1291, 113.2644, 23.1264233, 113.2697296],
  [52.52, 13.405, 52.52, 13.405],
] as const;

describe("GCJ-02", () => {
  it.each(PLACES)("%d %d", (latitude, longitude, shifted_latitude, shifted_longitude) => {
    const shifted = toGcj02({ latitude, longitude });
    expect(shifted.latitude).toBeCloseTo(shifted_latitude, 6);
    expect(shifted.longitude).toBeCloseTo(shifted_longitude, 6);
    const back = fromGcj02(shifted);
    expect(length_m(offsetFrom({ latitude, longitude }, back))).toBeLessThan(0.01);
  });
});

describe("mapLink", () => {
  const place = { latitude: 39.9066, longitude: 116.3908 };

  it("converts where the service draws in GCJ-02", () => {
    expect(mapLink("amap", place)).toContain("position=116.397041,39.908001");
    expect(mapLink("baidu", place)).toContain("location=39.908001,116.397041");
    expect(mapLink("tencent", place)).toContain("coord:39.908001,116.397041");
  });

  it("leaves it where it does not", () => {
    expect(mapLink("openstreetmap", place)).toContain("mlat=39.906600&mlon=116.390800");
    expect(mapLink("google", place)).toContain("query=39.906600,116.390800");
    expect(mapLink("none", place)).toBeNull();
  });
});
