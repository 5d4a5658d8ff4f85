// What this browser keeps for the page. Storage may be switched off: then a choice holds until the
// page closes.

export function recall(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Not remembered, still in force.
  }
}
