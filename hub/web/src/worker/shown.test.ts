import { expect, it } from "vitest";
import { filesOf, shownFor } from "./shown";

it("shows what the hub says and opens its incident", () => {
  const said = { title: "Emergency: Wang", body: "1 Lake Road", tag: "i-1", incident_id: "i-1", urgency: "high", language: "en" };
  expect(shownFor(JSON.stringify(said))).toEqual({
    title: "Emergency: Wang", body: "1 Lake Road", tag: "i-1", lang: "en", urgent: true,
    address: "/family/#/incident/i-1",
  });
});

it.each([null, "", "{", "7", '{"incident_id":"../../elsewhere"}'])("shows something for %s", (text) => {
  const shown = shownFor(text);
  expect(shown.title).toBe("Carebell");
  expect(shown.body).not.toBe("");
  expect(shown.address).toBe("/family/");
});

it("keeps the files of a page and of its scripts, of this site only", () => {
  const html = '<link href="/assets/a.css"><script src="/assets/b.js"></script><img src="//foreign/x.svg"><a href="/api/v1/x">';
  expect(filesOf(html)).toEqual(["/assets/a.css", "/assets/b.js"]);
  expect(filesOf("new Worker(new URL(`/assets/metronome-1.js`))")).toEqual(["/assets/metronome-1.js"]);
});
