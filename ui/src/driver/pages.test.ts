import { describe, expect, it } from "vitest";
import type { DriverRow } from "../api/drivers";
import { type ListPage, mergeRows, pagesOf, replacePage } from "./pages";

const row = (id: string): DriverRow => ({ id, park: "p", name: id, state: "accepted" });
const page = (after: string | null, ids: string, next: string | null): ListPage => ({
  after,
  rows: [...ids].map(row),
  next,
  total: 9,
  version: 1,
});
const ids = (pages: ListPage[]) =>
  mergeRows(pages)
    .map((one) => one.id)
    .join("");
const three = [page(null, "bdf", "f"), page("f", "hjl", "l"), page("l", "npr", "r")];

describe("pages of drivers", () => {
  it("join in order", () => {
    expect(ids(three)).toBe("bdfhjlnpr");
  });
  it("find the pages that hold the rows in sight", () => {
    expect(pagesOf(three, 0, 2)).toEqual([0]);
    expect(pagesOf(three, 2, 3)).toEqual([0, 1]);
    expect(pagesOf(three, 4, 100)).toEqual([1, 2]);
  });
  it("lose no row and tell none twice when a row was put into the middle", () => {
    const read = { rows: [..."hijlnp"].map(row), next: "p", total: 10 };
    expect(ids(replacePage(three, 1, read, 2))).toBe("bdfhijlnpr");
  });
  it("drop a row that is gone", () => {
    const read = { rows: [..."bfh"].map(row), next: "h", total: 8 };
    expect(ids(replacePage(three, 0, read, 2))).toBe("bfhjlnpr");
  });
  it("end where the list ends now", () => {
    const after = replacePage(three, 1, { rows: [row("h")], next: null, total: 4 }, 2);
    expect(ids(after)).toBe("bdfh");
    expect(after.at(-1)?.next).toBeNull();
  });
  it("go on after the last page when the list grew", () => {
    const read = { rows: [..."npr"].map(row), next: "r2", total: 12 };
    const after = replacePage(three, 2, read, 2);
    expect(after.at(-1)?.next).toBe("r2");
    expect(after[0]?.total).toBe(12);
  });
});
