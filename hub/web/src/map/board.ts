// The map: Leaflet over tiles where the hub names some, over a plain grid with a scale where not.
// Loaded when somebody opens a map. What comes in and goes out is WGS-84.

import * as leaflet from "leaflet";
import "leaflet/dist/leaflet.css";
import type { PageSettings, Shape } from "../api/contract";
import { fromGcj02, toGcj02 } from "./datum";
import type { Place } from "./projection";

const CLOSEST_ZOOM = 19;
const FIRST_ZOOM = 16;
const FIT_MARGIN_PX: [number, number] = [30, 30];
const CORNERS_MOST = 64;

export interface Colours {
  readonly line: string;
  readonly zone: string;
  readonly draft: string;
  readonly here: string;
  readonly home: string;
}

export class MapBoard {
  readonly map: leaflet.Map;
  private readonly shapes = leaflet.layerGroup();
  private readonly draft = leaflet.layerGroup();
  private readonly shifted: boolean;

  constructor(
    element: HTMLElement,
    settings: PageSettings,
    private readonly colours: Colours,
    centre: Place,
  ) {
    this.shifted = settings.map_tiles !== "" && settings.map_tiles_datum === "gcj02";
    // Tiles are sharp at whole zooms only; a grid is at any.
    const zoomSnap = settings.map_tiles === "" ? 0.25 : 1;
    // Nothing fades: for a fifth of a second old names would lie over new ones.
    const options = { attributionControl: settings.map_tiles_credit !== "", zoomSnap, fadeAnimation: false };
    this.map = leaflet.map(element, options);
    this.map.attributionControl?.setPrefix(false);
    (settings.map_tiles === "" ? plainGrid(colours.line) : tilesOf(settings)).addTo(this.map);
    leaflet.control.scale({ imperial: false, maxWidth: Math.max(100, element.clientWidth / 4) }).addTo(this.map);
    this.shapes.addTo(this.map);
    this.draft.addTo(this.map);
    this.map.setView(this.shown(centre), FIRST_ZOOM);
  }

  destroy(): void {
    this.map.remove();
  }

  /** Calls with the place that was clicked. */
  onClick(listener: (place: Place) => void): void {
    this.map.on("click", (event: leaflet.LeafletMouseEvent) => listener(this.meant(event.latlng)));
  }

  clear(): void {
    this.shapes.clearLayers();
  }

  addShape(shape: Shape, label: string, chosen: boolean): void {
    const style = {
      color: chosen ? this.colours.draft : this.colours.zone,
      weight: chosen ? 3 : 2,
      fillOpacity: 0.12,
    };
    const layer =
      shape.type === "circle"
        ? leaflet.circle(this.shown(shape), { ...style, radius: shape.radius_m })
        : leaflet.polygon(
            shape.corners.map(([latitude, longitude]) => this.shown({ latitude, longitude })),
            style,
          );
    this.shapes.addLayer(layer.bindTooltip(asText(label)));
  }

  addPoint(place: Place, label: string, kind: "home" | "here", accuracy_m = 0): void {
    const at = this.shown(place);
    const colour = this.colours[kind];
    if (accuracy_m > 0) {
      const style = { radius: accuracy_m, color: colour, weight: 1, fillOpacity: 0.1 };
      this.shapes.addLayer(leaflet.circle(at, style));
    }
    const style = { radius: 8, color: "#ffffff", weight: 2, fillColor: colour, fillOpacity: 1 };
    this.shapes.addLayer(leaflet.circleMarker(at, style).bindTooltip(asText(label)));
  }

  /** Something among many: smaller or larger, in a colour of its own. */
  addMark(place: Place, radius_px: number, colour: string): void {
    const style = { radius: radius_px, color: "#ffffff", weight: 1, fillColor: colour, fillOpacity: 1 };
    this.shapes.addLayer(leaflet.circleMarker(this.shown(place), style));
  }

  /** What a mark is called, on one side of it. */
  addName(place: Place, radius_px: number, name: string, side: "right" | "left" | "top" | "bottom"): void {
    const away = side === "right" || side === "bottom" ? radius_px : -radius_px;
    const offset: [number, number] = side === "right" || side === "left" ? [away, 0] : [0, away];
    const options = { permanent: true, direction: side, offset, className: "mark" } as const;
    const tooltip = leaflet.tooltip(options).setContent(asText(name));
    this.shapes.addLayer(tooltip.setLatLng(this.shown(place)));
  }

  /** Where it is drawn: px from the upper left corner. */
  spotOf(place: Place): { readonly x: number; readonly y: number } {
    return this.map.latLngToContainerPoint(this.shown(place));
  }

  /** What is being drawn: its corners, each of them visible. */
  showDraft(shape: Shape | null, corners: readonly Place[]): void {
    this.draft.clearLayers();
    const style = { color: this.colours.draft, weight: 3, dashArray: "6 6", fillOpacity: 0.15 };
    for (const corner of corners.slice(0, CORNERS_MOST)) {
      this.draft.addLayer(leaflet.circleMarker(this.shown(corner), { ...style, radius: 5, fillOpacity: 1 }));
    }
    if (shape?.type === "circle") {
      this.draft.addLayer(leaflet.circle(this.shown(shape), { ...style, radius: shape.radius_m }));
    } else if (corners.length > 1) {
      const at = corners.map((corner) => this.shown(corner));
      this.draft.addLayer(corners.length > 2 ? leaflet.polygon(at, style) : leaflet.polyline(at, style));
    }
  }

  /** After its place on the page became another size. */
  resized(): void {
    this.map.invalidateSize();
  }

  fit(): void {
    const bounds = leaflet.latLngBounds([]);
    this.shapes.eachLayer((layer) => {
      if (layer instanceof leaflet.Circle || layer instanceof leaflet.Polygon) {
        bounds.extend(layer.getBounds());
      } else if (layer instanceof leaflet.CircleMarker) bounds.extend(layer.getLatLng());
    });
    this.fitTo(bounds);
  }

  /** So that all of them are seen. */
  fitPlaces(places: readonly Place[]): void {
    this.fitTo(leaflet.latLngBounds(places.map((place) => this.shown(place))));
  }

  private fitTo(bounds: leaflet.LatLngBounds): void {
    if (bounds.isValid()) {
      this.map.fitBounds(bounds, { padding: FIT_MARGIN_PX, maxZoom: FIRST_ZOOM, animate: false });
    }
  }

  private shown(place: Place): leaflet.LatLng {
    const { latitude, longitude } = this.shifted ? toGcj02(place) : place;
    return leaflet.latLng(latitude, longitude);
  }

  private meant(at: leaflet.LatLng): Place {
    const place = { latitude: at.lat, longitude: at.lng };
    return this.shifted ? fromGcj02(place) : place;
  }
}

/** Leaflet takes strings for HTML; people name zones as they like. */
function asText(label: string): HTMLElement {
  const told = document.createElement("span");
  told.textContent = label;
  return told;
}

function tilesOf(settings: PageSettings): leaflet.TileLayer {
  return leaflet.tileLayer(settings.map_tiles, {
    attribution: asText(settings.map_tiles_credit).innerHTML,
    maxZoom: CLOSEST_ZOOM,
    referrerPolicy: "no-referrer",
  });
}

function plainGrid(line: string): leaflet.GridLayer {
  const Grid = leaflet.GridLayer.extend({
    createTile(): HTMLElement {
      const tile = document.createElement("div");
      tile.style.borderTop = tile.style.borderLeft = `1px solid ${line}`;
      return tile;
    },
  }) as unknown as new (options: leaflet.GridLayerOptions) => leaflet.GridLayer;
  return new Grid({ tileSize: 128, maxZoom: CLOSEST_ZOOM });
}
