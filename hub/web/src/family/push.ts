// Web push: asking the browser, and telling the hub (RFC 8030, 8291, 8292).

import { ask } from "../api/ask";
import { Problem } from "../api/problem";

export type PushState = "unknown" | "none" | "unset" | "denied" | "off" | "on" | "failed";

/** The key as `pushManager.subscribe` wants it, from unpadded base64 of the URL alphabet. */
export function keyBytes(key: string): Uint8Array<ArrayBuffer> {
  const plain = atob(key.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (character) => character.charCodeAt(0));
}

function supported(): boolean {
  return "serviceWorker" in navigator && "PushManager" in globalThis && "Notification" in globalThis;
}

export async function pushState(): Promise<PushState> {
  if (!supported()) return "none";
  if (Notification.permission === "denied") return "denied";
  try {
    const { public_key, items } = await ask("get", "/api/v1/push");
    if (public_key === "") return "unset";
    const own = await (await navigator.serviceWorker.ready).pushManager.getSubscription();
    return own !== null && items.some((each) => each.endpoint === own.endpoint) ? "on" : "off";
  } catch {
    return "failed";
  }
}

export async function turnOn(): Promise<PushState> {
  if ((await Notification.requestPermission()) !== "granted") return "denied";
  try {
    const { public_key } = await ask("get", "/api/v1/push");
    if (public_key === "") return "unset";
    const { pushManager } = await navigator.serviceWorker.ready;
    const subscription = await pushManager.subscribe({
      userVisibleOnly: true,
      applicationServerKey: keyBytes(public_key),
    });
    const { endpoint, keys } = subscription.toJSON();
    if (endpoint === undefined || keys?.["p256dh"] === undefined || keys["auth"] === undefined) {
      return "failed";
    }
    const body = { endpoint, keys: { p256dh: keys["p256dh"], auth: keys["auth"] } };
    await ask("post", "/api/v1/push", { body });
    return "on";
  } catch {
    // The push service is away, or the hub is: neither tells the other, so nothing is half on.
    return "failed";
  }
}

export async function turnOff(): Promise<PushState> {
  const own = await (await navigator.serviceWorker.ready).pushManager.getSubscription();
  if (own === null) return "off";
  try {
    await ask("post", "/api/v1/push/unsubscribe", { body: { endpoint: own.endpoint } });
    await own.unsubscribe();
    return "off";
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return "failed";
  }
}
