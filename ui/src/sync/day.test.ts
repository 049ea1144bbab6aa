import { describe, expect, it } from "vitest";
import { hours, sums } from "./day";

const point = (minute: number, waiting: number, sent: number) => ({
  at_ms: new Date(2026, 10, 25, 9, minute).getTime(),
  waiting,
  sent,
  received: 2,
  bytes_up: 0,
  bytes_down: 0,
  problems: 1,
});

describe("the day of the exchange", () => {
  it("sums what was done and tells what waits now", () => {
    expect(sums([point(0, 5, 3), point(10, 2, 4)])).toEqual({
      waiting: 2,
      sent: 7,
      received: 4,
      problems: 2,
    });
    expect(sums([])).toEqual({ waiting: 0, sent: 0, received: 0, problems: 0 });
  });
  it("has a row an hour with the most that waited in it", () => {
    const rows = hours([point(0, 5, 3), point(50, 9, 4), point(60, 1, 1)]);
    expect(rows.map(({ waiting, sent }) => [waiting, sent])).toEqual([
      [9, 7],
      [1, 1],
    ]);
  });
});
