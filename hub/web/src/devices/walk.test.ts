import { expect, it } from "vitest";
import { entered, heard, silentRooms, type Press } from "./walk";

function press(id: string): Press {
  return { id, action: "test", incident_id: null, observed_at: null, received_at: "", took_s: 0.4 };
}

it("writes each press to the room the installer stands in", () => {
  let visits = entered([], "kitchen");
  visits = heard(visits, press("1"));
  visits = entered(visits, "bath");
  visits = entered(visits, "bedroom");
  visits = heard(visits, press("2"));
  expect(visits.map((visit) => [visit.room, visit.press?.id ?? null])).toEqual([
    ["kitchen", "1"],
    ["bath", null],
    ["bedroom", "2"],
  ]);
  expect(silentRooms(visits)).toEqual(["bath"]);
});

it("counts a press once, and none where nobody waits", () => {
  const visits = heard(entered([], "hall"), press("1"));
  expect(heard(visits, press("1"))).toEqual(visits);
  expect(heard(visits, press("2"))).toEqual(visits);
});
