import { expect, it } from "vitest";
import { filled, queryText } from "./ask";

it("fills places so that an id cannot leave its place", () => {
  expect(filled("/api/v1/people/{person_id}/care", { person_id: "a/../b" })).toBe(
    "/api/v1/people/a%2F..%2Fb/care",
  );
});

it("asks only for what was said", () => {
  expect(queryText({ q: "王 秀", cursor: null, limit: 50, state: undefined, area_id: "" })).toBe(
    "?q=%E7%8E%8B+%E7%A7%80&limit=50",
  );
  expect(queryText({})).toBe("");
});
