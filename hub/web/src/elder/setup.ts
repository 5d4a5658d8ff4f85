// The code that makes a phone a device: read from the page's address or typed in. What stands behind
// the # never leaves the phone but as the credential it is.

export interface Setup {
  readonly device_id: string;
  readonly secret: string;
  readonly prefix: string;
}

const ID = "[a-z0-9-]{1,64}";
const PREFIX = `care/v1/${ID}/${ID}/(${ID})`;
const PAGE = new RegExp(`#(${ID}):([0-9A-Za-z]{8,128})@(${PREFIX})$`);
const DEVICE = new RegExp(`^mqtts?://(${ID}):([0-9A-Za-z]{8,128})@[^/]+/(${PREFIX})\\?v=1$`);

/** A phone's code, or that of any device (`mqtts://...`); null: neither. */
export function readSetup(told: string): Setup | null {
  const match = PAGE.exec(told.trim()) ?? DEVICE.exec(told.trim());
  if (match === null) return null;
  const [, device_id = "", secret = "", prefix = "", named] = match;
  return named === device_id ? { device_id, secret, prefix } : null;
}

/** As RFC 7617 has it. */
export function authorization({ device_id, secret }: Setup): string {
  return `Basic ${btoa(`${device_id}:${secret}`)}`;
}
