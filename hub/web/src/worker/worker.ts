// The service worker of the family's page and of the elder's phone: lets them open without a line, so
// that they can say that there is none, and shows push messages also while no page is open.
// Nothing of the API is ever kept: what is shown is from now, or it is not shown.

import { filesOf, shownFor } from "./shown";

// The DOM's types and a worker's exclude each other; this is all of the worker's that is used.
interface Ending extends Event {
  waitUntil(done: Promise<unknown>): void;
}
interface Fetching extends Ending {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface Pushed extends Ending {
  readonly data: { text(): string } | null;
}
interface Clicked extends Ending {
  readonly notification: Notification;
}
interface Page {
  readonly url: string;
  focus(): Promise<unknown>;
  navigate(address: string): Promise<unknown>;
}
interface Scope extends EventTarget {
  readonly registration: ServiceWorkerRegistration;
  readonly clients: {
    claim(): Promise<void>;
    matchAll(options: { type: "window"; includeUncontrolled: boolean }): Promise<readonly Page[]>;
    openWindow(address: string): Promise<unknown>;
  };
  skipWaiting(): Promise<void>;
}

const worker = self as unknown as Scope;
// One script, registered once for each of the two pages.
const PAGE = new URL(worker.registration.scope).pathname;
const SHELL = `carebell${PAGE}`;
const ANSWER_WITHIN_MS = 4_000;

function on<E extends Event>(name: string, heard: (event: E) => void): void {
  worker.addEventListener(name, (event) => heard(event as E));
}

on<Ending>("install", (event) => {
  event.waitUntil(keepShell().then(() => worker.skipWaiting()));
});

on<Ending>("activate", (event) => event.waitUntil(worker.clients.claim()));

on<Fetching>("fetch", (event) => {
  const { request } = event;
  const { pathname, origin } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate" && pathname === PAGE) event.respondWith(freshPage(request));
  else if (pathname.startsWith("/assets/") || pathname === "/favicon.svg") event.respondWith(keptFile(request));
});

on<Pushed>("push", (event) => {
  const shown = shownFor(event.data?.text() ?? null);
  const options = {
    body: shown.body,
    tag: shown.tag,
    lang: shown.lang,
    icon: `${PAGE}icon-192.png`,
    badge: `${PAGE}icon-192.png`,
    renotify: true,
    requireInteraction: shown.urgent,
    vibrate: shown.urgent ? [400, 150, 400, 150, 400] : [200],
    data: { address: shown.address },
  };
  event.waitUntil(worker.registration.showNotification(shown.title, options));
});

on<Clicked>("notificationclick", (event) => {
  event.notification.close();
  const said = event.notification.data as { address?: string } | null;
  event.waitUntil(openPage(said?.address ?? PAGE));
});

async function openPage(address: string): Promise<void> {
  const pages = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  const open = pages.find((page) => new URL(page.url).pathname === PAGE);
  if (open === undefined) {
    await worker.clients.openWindow(address);
    return;
  }
  await open.navigate(address);
  await open.focus();
}

async function keepShell(): Promise<void> {
  const answer = await fetch(PAGE, { cache: "no-store" });
  if (!answer.ok) throw new Error(`the page answered ${answer.status}`);
  const cache = await caches.open(SHELL);
  const files = filesOf(await answer.clone().text());
  await cache.put(PAGE, answer);
  await cache.addAll(files);
  for (const file of files.filter((each) => each.endsWith(".js"))) {
    // What a script starts by itself: without its metronome a page would not even retry.
    const started = filesOf((await (await cache.match(file))?.text()) ?? "").filter((each) => each.endsWith(".js"));
    await cache.addAll(started.filter((each) => !files.includes(each)));
  }
}

/** The hub's page where it answers, else the kept one. */
async function freshPage(request: Request): Promise<Response> {
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    if (answer.ok) {
      const copy = answer.clone();
      void caches.open(SHELL).then((cache) => cache.put(PAGE, copy));
    }
    return answer;
  } catch {
    return (await caches.match(PAGE)) ?? Response.error();
  }
}

/** Named by their content: what is kept is never out of date. */
async function keptFile(request: Request): Promise<Response> {
  const kept = await caches.match(request);
  if (kept !== undefined) return kept;
  const answer = await fetch(request);
  if (answer.ok) {
    const copy = answer.clone();
    void caches.open(SHELL).then((cache) => cache.put(request, copy));
  }
  return answer;
}
