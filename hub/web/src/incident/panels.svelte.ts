// Which part of the incident's page is open.

import type { Panel } from "./panel_keys";

class Panels {
  open = $state<Panel>("overview");
  /** Counts the wish to see the key safe's code: whoever shows it watches this. */
  reveals = $state(0);

  show(panel: Panel): void {
    this.open = panel;
  }

  reveal(): void {
    this.open = "overview";
    this.reveals += 1;
  }
}

export const panels = new Panels();
