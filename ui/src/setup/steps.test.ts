import { describe, expect, it } from "vitest";
import { fieldOf, hubAddress, missing, NO_INPUT, nextStep, previousStep, STEPS } from "./steps";

describe("the steps of set-up", () => {
  it("lead from the first to the last", () => {
    let step = STEPS[0] as (typeof STEPS)[number];
    const walked = [step];
    while (step !== "done") {
      step = nextStep(step, true);
      walked.push(step);
    }
    expect(walked).toEqual([...STEPS]);
  });
  it("leave out the recovery code where no key was made", () => {
    expect(nextStep("hub", false)).toBe("camera");
  });
  it("lead back as far as nothing has to be undone", () => {
    expect(previousStep("hub")).toBe("language");
    expect(previousStep("recovery")).toBeUndefined();
    expect(previousStep("camera")).toBeUndefined();
    expect(previousStep("person")).toBe("folder");
  });
});

describe("the hub's address", () => {
  it("is taken as people type it", () => {
    expect(hubAddress(" hub.park.example/ ")).toBe("https://hub.park.example");
    expect(hubAddress("127.0.0.1:8420")).toBe("http://127.0.0.1:8420");
    expect(hubAddress("http://hub:8420")).toBe("http://hub:8420");
    expect(hubAddress("хаб.рф")).toBe("https://хаб.рф");
  });
  it("is none with spaces in it or without a host", () => {
    expect(hubAddress("my hub")).toBeUndefined();
    expect(hubAddress("https://")).toBeUndefined();
  });
});

describe("enrolment", () => {
  it("names every field that lacks something", () => {
    expect(missing(NO_INPUT)).toEqual({ hub: "empty", code: "empty", name: "empty" });
    expect(missing({ hub: "a b", code: "X", name: "Desk", ca: "text" })).toEqual({
      hub: "address",
      ca: "pem",
    });
    expect(missing({ hub: "hub", code: "X", name: "Desk", ca: "" })).toEqual({});
  });
  it("puts every failure at the field it is about", () => {
    for (const detail of ["wrong_code", "used_code", "expired_code", "too_many_tries"])
      expect(fieldOf(detail)).toBe("code");
    expect(fieldOf("unreachable")).toBe("hub");
    expect(fieldOf("not_a_hub")).toBe("hub");
    expect(fieldOf("tls")).toBe("ca");
    expect(fieldOf("name")).toBe("name");
    expect(fieldOf("already_enrolled")).toBeUndefined();
  });
});
