// What the phone keeps through a closed page and an empty battery: its code, and what it still has
// to say. IndexedDB, because a press must be down before anybody is told that it was taken.

import type { Press } from "./presses";
import type { Setup } from "./setup";

const NAME = "carebell-phone";
const STORE = "kept";
type Key = "setup" | "presses";

function opened(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const asking = indexedDB.open(NAME, 1);
    asking.onupgradeneeded = () => asking.result.createObjectStore(STORE);
    asking.onsuccess = () => resolve(asking.result);
    asking.onerror = () => reject(asking.error ?? new Error("no database"));
  });
}

async function work<Result>(
  mode: IDBTransactionMode,
  step: (store: IDBObjectStore) => IDBRequest<Result>,
): Promise<Result | undefined> {
  try {
    const database = await opened();
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const asking = step(transaction.objectStore(STORE));
      transaction.oncomplete = () => (database.close(), resolve(asking.result));
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  } catch {
    // A private window keeps nothing: the press goes out all the same, only not after a restart.
    return undefined;
  }
}

function get<Value>(key: Key): Promise<Value | undefined> {
  return work<unknown>("readonly", (store) => store.get(key) as IDBRequest<unknown>) as Promise<
    Value | undefined
  >;
}

export async function loadSetup(): Promise<Setup | null> {
  return (await get<Setup>("setup")) ?? null;
}

export async function loadPresses(): Promise<Press[]> {
  return (await get<Press[]>("presses")) ?? [];
}

export async function saveSetup(setup: Setup): Promise<void> {
  await work("readwrite", (store) => store.put({ ...setup }, "setup"));
}

export async function savePresses(presses: readonly Press[]): Promise<void> {
  await work("readwrite", (store) => store.put(presses.map((press) => ({ ...press })), "presses"));
}
