// A local plan in metres round one point: good to a metre over a city, and needs no map tiles.

export interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

/** Metres east and north of an origin. */
export interface Offset {
  readonly east_m: number;
  readonly north_m: number;
}

// Mean earth radius (IUGG).
const EARTH_RADIUS_M = 6_371_008.8;
const RADIANS = Math.PI / 180;

export function offsetFrom(origin: Place, place: Place): Offset {
  const east = (place.longitude - origin.longitude) * RADIANS;
  const turned = east > Math.PI ? east - 2 * Math.PI : east < -Math.PI ? east + 2 * Math.PI : east;
  return {
    east_m: turned * Math.cos(origin.latitude * RADIANS) * EARTH_RADIUS_M,
    north_m: (place.latitude - origin.latitude) * RADIANS * EARTH_RADIUS_M,
  };
}

export function length_m(offset: Offset): number {
  return Math.hypot(offset.east_m, offset.north_m);
}

/** The largest of 1, 2, 5 times a power of ten that is not above `most_m`. */
export function roundStep_m(most_m: number): number {
  const power = 10 ** Math.floor(Math.log10(most_m));
  const lead = most_m / power;
  return (lead >= 5 ? 5 : lead >= 2 ? 2 : 1) * power;
}

/** True for coordinates that can be drawn; 0,0 is what broken receivers send. */
export function isPlace(latitude: number | null, longitude: number | null): boolean {
  return (
    latitude !== null &&
    longitude !== null &&
    Math.abs(latitude) <= 90 &&
    Math.abs(longitude) <= 180 &&
    !(latitude === 0 && longitude === 0)
  );
}

// Never closer than a house and its garden.
const SMALLEST_VIEW_M = 40;
const MARGIN = 1.25;

export interface Plan {
  /** Half the height of the drawing. */
  readonly reach_m: number;
  readonly grid_m: number;
  readonly premises: Offset | null;
  readonly position: Offset | null;
  readonly accuracy_m: number;
  /** Between premises and position; null when one of them is unknown. */
  readonly apart_m: number | null;
}

/** Where to draw what: centred between the two points, everything inside. Null: nothing to draw. */
export function drawPlan(
  premises: Place | null,
  position: Place | null,
  accuracy_m: number,
): Plan | null {
  const origin = premises ?? position;
  if (origin === null) return null;
  const other = position === null ? { east_m: 0, north_m: 0 } : offsetFrom(origin, position);
  const centre = { east_m: other.east_m / 2, north_m: other.north_m / 2 };
  const shifted = (offset: Offset): Offset => ({
    east_m: offset.east_m - centre.east_m,
    north_m: offset.north_m - centre.north_m,
  });
  const apart = length_m(other);
  const shown_accuracy_m = position === null ? 0 : Math.max(0, accuracy_m);
  const reach_m = Math.max(SMALLEST_VIEW_M, (apart / 2 + shown_accuracy_m) * MARGIN);
  return {
    reach_m,
    grid_m: roundStep_m(reach_m / 2),
    premises: premises === null ? null : shifted({ east_m: 0, north_m: 0 }),
    position: position === null ? null : shifted(other),
    accuracy_m: shown_accuracy_m,
    apart_m: premises === null || position === null ? null : apart,
  };
}
