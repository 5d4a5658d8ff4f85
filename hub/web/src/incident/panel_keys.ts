// The parts of the incident's page: one key each.

export const PANELS = ["overview", "evidence", "checklist", "record"] as const;
export type Panel = (typeof PANELS)[number];

export const PANEL_KEYS: Record<Panel, string> = {
  overview: "O",
  evidence: "E",
  checklist: "C",
  record: "L",
};
