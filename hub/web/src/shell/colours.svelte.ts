// Colours of the page for what is drawn on a canvas or by a library, which know no CSS variables.

const dark = matchMedia("(prefers-color-scheme: dark)");

class Scheme {
  /** What the system wants; read it in an effect, so that it runs again when that changes. */
  dark = $state(dark.matches);

  constructor() {
    dark.addEventListener("change", () => (this.dark = dark.matches));
  }
}

export const scheme = new Scheme();

/** What a variable of app.css is in this place, as rgb(). */
export function colourIn(place: HTMLElement, name: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  place.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}
