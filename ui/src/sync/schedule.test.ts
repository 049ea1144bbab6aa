import { describe, expect, it } from "vitest";
import { clock, dayRuns, isOpen, nextChange, problemOf, saved } from "./schedule";

const nights = [{ days: [1, 2, 3, 4, 5], from: "22:00", to: "06:00" }];
// 23 November 2026 is a Monday.
const monday = (hour: number, minute = 0) => new Date(2026, 10, 23, hour, minute);

describe("a time of day", () => {
  it("is understood as people type it", () => {
    expect([clock("9"), clock("9:5"), clock("0930"), clock("22.15"), clock("24")]).toEqual([
      "09:00",
      "09:05",
      "09:30",
      "22:15",
      "24:00",
    ]);
  });
  it("is none past the end of the day", () => {
    expect([clock("25"), clock("9:60"), clock("24:01"), clock("утро"), clock("")]).toEqual(
      Array(5).fill(undefined),
    );
  });
});

describe("the hours of exchange", () => {
  it("are always without a window", () => {
    expect(isOpen([], monday(3))).toBe(true);
    expect(nextChange([], monday(3))).toBeUndefined();
  });
  it("run over midnight into the next day, the last night into Saturday", () => {
    expect(isOpen(nights, monday(21, 59))).toBe(false);
    expect(isOpen(nights, monday(22))).toBe(true);
    expect(isOpen(nights, new Date(2026, 10, 28, 5, 59))).toBe(true);
    expect(isOpen(nights, new Date(2026, 10, 28, 6, 0))).toBe(false);
  });
  it("do not begin on the night before their first day", () => {
    expect(isOpen(nights, monday(3))).toBe(false);
  });
  it("tell when they open and close", () => {
    expect(nextChange(nights, monday(12))).toEqual(monday(22));
    expect(nextChange(nights, monday(23))).toEqual(new Date(2026, 10, 24, 6, 0));
    expect(nextChange(nights, new Date(2026, 10, 28, 12, 0))).toEqual(new Date(2026, 10, 30, 22, 0));
  });
  it("may last to the end of the day", () => {
    const whole = [{ days: [1], from: "00:00", to: "24:00" }];
    expect(isOpen(whole, monday(23, 59))).toBe(true);
    expect(isOpen(whole, new Date(2026, 10, 24, 0, 0))).toBe(false);
  });
});

describe("the editor of hours", () => {
  it("joins days that follow each other", () => {
    expect(dayRuns([5, 1, 2, 3, 7])).toEqual([
      [1, 3],
      [5, 5],
      [7, 7],
    ]);
  });
  it("says what is wrong with a row", () => {
    expect(problemOf({ days: [], from: "1", to: "2" })).toBe("days");
    expect(problemOf({ days: [1], from: "x", to: "2" })).toBe("from");
    expect(problemOf({ days: [1], from: "1", to: "" })).toBe("to");
    expect(problemOf({ days: [1], from: "8", to: "08:00" })).toBe("equal");
    expect(problemOf({ days: [1], from: "22", to: "6" })).toBeUndefined();
  });
  it("saves times as the appliance reads them", () => {
    expect(saved([{ days: [2, 1], from: "9", to: "18.30" }])).toEqual([
      { days: [1, 2], from: "09:00", to: "18:30" },
    ]);
  });
});
