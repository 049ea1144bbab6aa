// Both languages say the same things, and Russian has its four plural forms wherever it counts.
import { describe, expect, it } from "vitest";
import { wordsOf } from "./i18n";

const PLURALS = { ru: ["one", "few", "many", "other"], en: ["one", "other"] } as const;

function flat(value: unknown, path = ""): string[] {
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([key, inner]) => flat(inner, path ? `${path}.${key}` : key));
}

const stem = (key: string) => key.replace(/_(one|few|many|other)$/, "");

describe("words", () => {
  const [ru, en] = [flat(wordsOf("ru")), flat(wordsOf("en"))];

  it("are the same keys in both languages", () => {
    expect([...new Set(ru.map(stem))].sort()).toEqual([...new Set(en.map(stem))].sort());
  });

  it.each([
    ["ru", ru],
    ["en", en],
  ] as const)("have every plural form in %s", (lang, keys) => {
    const counted = new Set(keys.filter((key) => key !== stem(key)).map(stem));
    for (const key of counted) {
      for (const form of PLURALS[lang]) expect(keys, `${lang}: ${key}_${form}`).toContain(`${key}_${form}`);
    }
  });

  it("hold no empty text", () => {
    const texts = (value: unknown): string[] =>
      typeof value === "object" && value !== null ? Object.values(value).flatMap(texts) : [String(value)];
    for (const text of [...texts(wordsOf("ru")), ...texts(wordsOf("en"))]) expect(text.trim()).not.toBe("");
  });

  it("use the same placeholders in both languages", () => {
    const placeholders = (words: unknown) => {
      const found = new Map<string, Set<string>>();
      const walk = (value: unknown, path: string) => {
        if (typeof value === "object" && value !== null) {
          for (const [key, inner] of Object.entries(value)) walk(inner, path ? `${path}.${key}` : key);
          return;
        }
        const names = [...String(value).matchAll(/\{\{(\w+)/g)].map(([, name]) => name ?? "");
        const set = found.get(stem(path)) ?? new Set();
        for (const name of names) set.add(name);
        found.set(stem(path), set);
      };
      walk(words, "");
      return found;
    };
    const [inRu, inEn] = [placeholders(wordsOf("ru")), placeholders(wordsOf("en"))];
    for (const [key, names] of inRu)
      expect([...(inEn.get(key) ?? [])].sort(), key).toEqual([...names].sort());
  });
});
