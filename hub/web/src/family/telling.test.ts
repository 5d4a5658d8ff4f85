import { expect, it } from "vitest";
import { incident as anIncident } from "../testing/incidents";
import { minutesUntil, ownAnswer, stepsOf, urgentOf } from "./telling";
import { readRoute, writeRoute } from "./route";

const ACCOUNT = { id: "daughter", name: "Li", role: "family", area_id: "city", language: "en" };

function responding(kind: "account" | "contact", id: string, name: string, answer: "told" | "going") {
  return { kind, id, name, answer, way: null, told_at: null, answered_at: null, expected_at: null, arrived_at: null };
}

it("knows one's own answer, also under the name of the register", () => {
  const incident = anIncident({
    responders: [responding("contact", "c-1", "Li", "told"), responding("account", "daughter", "Li", "going")],
  });
  expect(ownAnswer(incident, ACCOUNT)?.answer).toBe("going");
  expect(ownAnswer(incident, { ...ACCOUNT, id: "son", name: "Wei" })).toBeNull();
});

it("puts what rings before what is asked, and leaves the service's own out", () => {
  const asked = anIncident({ id: "asked", state: "checking", opened_at: "2026-03-02T08:00:00Z" });
  const rings = anIncident({ id: "rings", opened_at: "2026-03-02T07:00:00Z" });
  const battery = anIncident({ id: "battery", category: "technical" });
  expect(urgentOf([asked, battery, rings]).map((each) => each.id)).toEqual(["rings", "asked"]);
});

it("tells the steps in order, the same one once", () => {
  const step = (action: string, at: string, actor_name = "Mei") => ({ action, at, actor: "", actor_name, reason: null, detail: {} });
  const told = stepsOf([step("acknowledge", "3"), step("alarm", "1"), step("alarm", "2"), step("look", "4")]);
  expect(told.map((each) => each.action)).toEqual(["alarm", "acknowledge"]);
});

it("says once that more people are told, until somebody does something", () => {
  const step = (action: string, at: string) => ({ action, at, actor: "", actor_name: "", reason: null, detail: {} });
  const rungs = ["alarm", "escalate", "alarm", "escalate", "escalate", "acknowledge", "escalate"];
  const told = stepsOf(rungs.map((action, n) => step(action, String(n))));
  expect(told.map((each) => each.action)).toEqual(["alarm", "escalate", "alarm", "acknowledge", "escalate"]);
});

it("never says that somebody is there in no time", () => {
  expect(minutesUntil("2026-03-02T08:00:00Z", Date.parse("2026-03-02T08:10:00Z"))).toBe(1);
});

it.each(["#/incident/i-1", "#/settings", "#/share/wang"])("reads %s as it writes it", (hash) => {
  const { view, id } = readRoute(hash);
  expect(writeRoute(view, id)).toBe(hash);
});

it("opens the first page for anything else", () => {
  expect(readRoute("#/incident")).toEqual({ view: "home", id: null });
  expect(readRoute("#/incident/../x").view).toBe("home");
});
