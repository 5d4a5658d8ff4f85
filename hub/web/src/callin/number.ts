// A number as it is typed, or handed over by a telephone system in the address. Pure.

// What the hub takes (hub/api/call_in_models.py); fewer digits are no number yet.
const LEAST_DIGITS = 3;
const TAKEN = /^[+]?[0-9()/. -]{3,40}$/;

export function isNumber(text: string): boolean {
  const trimmed = text.trim();
  return TAKEN.test(trimmed) && trimmed.replace(/\D/g, "").length >= LEAST_DIGITS;
}

/** The digits in an address (#/calls/8613800138000): what a telephone system opens. */
export function numberFrom(item_id: string | null): string {
  return item_id !== null && /^\d{3,20}$/.test(item_id) ? item_id : "";
}
