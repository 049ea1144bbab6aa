import { describe, expect, it } from "vitest";
import { grouped, matches } from "./search";

const pause = { id: "pause", name: "Приостановить обмен на час", also: "pause sync" };
const dark = { id: "dark", name: "Тёмная тема" };

describe("the global search", () => {
  it("finds a command by the beginnings of its words in any order", () => {
    expect(matches(pause, "обм при")).toBe(true);
    expect(matches(pause, "останов")).toBe(false);
  });
  it("takes ё and е for the same and knows the other language", () => {
    expect(matches(dark, "темная")).toBe(true);
    expect(matches(pause, "PAUSE")).toBe(true);
  });
  it("groups drivers, pages and commands, and shows no drivers before something is typed", () => {
    const all = grouped("", ["d1"], [dark], [pause]);
    expect(all).toEqual({ drivers: [], pages: [dark], commands: [pause] });
    expect(grouped("тём", ["d1"], [dark], [pause])).toEqual({ drivers: ["d1"], pages: [dark], commands: [] });
  });
});
