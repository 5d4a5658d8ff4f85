import { expect, it } from "vitest";
import { authorization, readSetup } from "./setup";

const SETUP = { device_id: "phone-1", secret: "5f2c5f2c5f2c", prefix: "care/v1/city/home-1/phone-1" };

it.each([
  "https://hub.example.org/press/#phone-1:5f2c5f2c5f2c@care/v1/city/home-1/phone-1",
  " mqtts://phone-1:5f2c5f2c5f2c@hub.example.org:8883/care/v1/city/home-1/phone-1?v=1 ",
])("reads %s", (code) => {
  expect(readSetup(code)).toEqual(SETUP);
});

it.each([
  "",
  "https://hub.example.org/press/",
  "https://hub.example.org/press/#phone-1:5f2c5f2c5f2c@care/v1/city/home-1/another",
  "mqtts://phone-1:short@hub.example.org/care/v1/city/home-1/phone-1?v=1",
])("takes nothing from %s", (code) => {
  expect(readSetup(code)).toBeNull();
});

it("shows the credential as RFC 7617 has it", () => {
  expect(atob(authorization(SETUP).slice(6))).toBe("phone-1:5f2c5f2c5f2c");
});
