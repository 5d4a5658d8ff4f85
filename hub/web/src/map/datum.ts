// Chinese map services draw in GCJ-02; the hub speaks WGS-84 only. The same published constants as
// hub/geo.py (Krasovsky 1940 ellipsoid). Outside mainland China the two are equal.

import type { Place } from "./projection";

const AXIS_M = 6_378_245;
const ECCENTRICITY_SQUARED = 0.00669342162296594323;
const INVERSE_STEPS = 4;
const { PI, abs, cos, sin, sqrt } = Math;

export function toGcj02(place: Place): Place {
  if (isOutsideChina(place)) return place;
  const x = place.longitude - 105;
  const y = place.latitude - 35;
  const waves = ((20 * sin(6 * x * PI) + 20 * sin(2 * x * PI)) * 2) / 3;
  let north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + waves;
  north += ((20 * sin(y * PI) + 40 * sin((y / 3) * PI)) * 2) / 3;
  north += ((160 * sin((y / 12) * PI) + 320 * sin((y * PI) / 30)) * 2) / 3;
  let east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + waves;
  east += ((20 * sin(x * PI) + 40 * sin((x / 3) * PI)) * 2) / 3;
  east += ((150 * sin((x / 12) * PI) + 300 * sin((x / 30) * PI)) * 2) / 3;
  const radians = (place.latitude / 180) * PI;
  const magic = 1 - ECCENTRICITY_SQUARED * sin(radians) ** 2;
  const meridian_m = (AXIS_M * (1 - ECCENTRICITY_SQUARED)) / (magic * sqrt(magic));
  const parallel_m = AXIS_M / sqrt(magic);
  return {
    latitude: place.latitude + (north * 180) / (meridian_m * PI),
    longitude: place.longitude + (east * 180) / (parallel_m * cos(radians) * PI),
  };
}

export function fromGcj02(place: Place): Place {
  if (isOutsideChina(place)) return place;
  let guess = place;
  for (let step = 0; step < INVERSE_STEPS; step += 1) {
    const shifted = toGcj02(guess);
    guess = {
      latitude: guess.latitude + place.latitude - shifted.latitude,
      longitude: guess.longitude + place.longitude - shifted.longitude,
    };
  }
  return guess;
}

/** The rectangle every published implementation uses. */
function isOutsideChina({ latitude, longitude }: Place): boolean {
  return !(
    longitude >= 72.004 && longitude <= 137.8347 && latitude >= 0.8293 && latitude <= 55.8271
  );
}
