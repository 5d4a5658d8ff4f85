// Safe zones as they are drawn. Pure.

import type { Shape } from "../api/contract";
import { length_m, offsetFrom, type Place } from "./projection";

export type Tool = "circle" | "polygon";

// What the hub takes (hub/api/models_care.py).
export const SMALLEST_RADIUS_M = 20;
export const LARGEST_RADIUS_M = 50_000;
export const CORNERS_MOST = 64;

/** The shape that these clicks draw; null while there are too few. */
export function drawn(tool: Tool, corners: readonly Place[], radius_m: number): Shape | null {
  const [first] = corners;
  if (first === undefined) return null;
  if (tool === "circle") {
    const { latitude, longitude } = first;
    const bounded_m = Math.min(LARGEST_RADIUS_M, Math.max(SMALLEST_RADIUS_M, Math.round(radius_m)));
    return { type: "circle", latitude, longitude, radius_m: bounded_m };
  }
  if (corners.length < 3) return null;
  return {
    type: "polygon",
    corners: corners.slice(0, CORNERS_MOST).map((each) => [each.latitude, each.longitude]),
  };
}

/** A second click on a circle sets how far it reaches. */
export function radiusBy(corners: readonly Place[]): number | null {
  const [centre, edge] = corners;
  return centre === undefined || edge === undefined ? null : length_m(offsetFrom(centre, edge));
}

/** A free id among those there are: zone-1, zone-2 ... */
export function freeZoneId(taken: readonly string[]): string {
  let number = 1;
  while (taken.includes(`zone-${number}`)) number += 1;
  return `zone-${number}`;
}
