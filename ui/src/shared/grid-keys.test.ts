import { describe, expect, it } from "vitest";
import { rowFor, tileFor } from "./grid-keys";

describe("rowFor", () => {
  it("begins at the first row, whichever arrow comes first", () => {
    expect(rowFor("ArrowDown", -1, 5, 3)).toBe(0);
    expect(rowFor("ArrowUp", -1, 5, 3)).toBe(0);
  });
  it("stops at both ends", () => {
    expect(rowFor("ArrowUp", 0, 5, 3)).toBe(0);
    expect(rowFor("ArrowDown", 4, 5, 3)).toBe(4);
  });
  it("turns a page with one row kept in sight", () => {
    expect(rowFor("PageDown", 10, 100_000, 20)).toBe(29);
    expect(rowFor("PageUp", 10, 100_000, 20)).toBe(0);
  });
  it("goes to the first and the last row", () => {
    expect(rowFor("Home", 50, 100, 20)).toBe(0);
    expect(rowFor("End", 50, 100, 20)).toBe(99);
  });
  it("leaves other keys and empty grids alone", () => {
    expect(rowFor("a", 0, 5, 3)).toBeUndefined();
    expect(rowFor("ArrowDown", -1, 0, 3)).toBeUndefined();
  });
});

describe("tileFor", () => {
  it("goes across and down", () => {
    expect(tileFor("ArrowRight", 0, 7, 3)).toBe(1);
    expect(tileFor("ArrowDown", 1, 7, 3)).toBe(4);
    expect(tileFor("ArrowUp", 4, 7, 3)).toBe(1);
  });
  it("goes down to the last tile of a short row and stays at the edges", () => {
    expect(tileFor("ArrowDown", 5, 7, 3)).toBe(6);
    expect(tileFor("ArrowUp", 1, 7, 3)).toBe(1);
    expect(tileFor("ArrowRight", 6, 7, 3)).toBe(6);
  });
});
