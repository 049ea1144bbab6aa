import { describe, expect, it } from "vitest";
import { ago, bytes, dateTime, duration, initials, phone, plate } from "./format";

const NOW = new Date(2026, 10, 25, 14, 5).getTime();
const nbsp = (text: string) => text.replace(/[\u00a0\u202f]/g, " ");

describe("format", () => {
  it("groups phones as people read them and leaves others alone", () => {
    expect(phone("89161234567")).toBe("+7 916 123-45-67");
    expect(phone("+7 (916) 123 45 67")).toBe("+7 916 123-45-67");
    expect(phone("+49 30 901820")).toBe("+49 30 901820");
  });
  it("groups plates as people read them and leaves others alone", () => {
    expect(plate("а123вс77")).toBe("А 123 ВС 77");
    expect(plate("K777OM199")).toBe("K 777 OM 199");
    expect(plate("TAXI-1")).toBe("TAXI-1");
  });
  it("says times without the year of today", () => {
    expect(nbsp(dateTime(NOW, "ru", NOW))).toBe("25 нояб., 14:05");
    expect(nbsp(dateTime(NOW - 400 * 86_400_000, "ru", NOW))).toContain("2025");
  });
  it("says ages up to a day and dates after it", () => {
    expect(nbsp(ago(NOW - 12_000, "ru", NOW))).toBe("12 сек. назад");
    expect(nbsp(ago(NOW - 2 * 86_400_000, "ru", NOW))).toBe("23 нояб., 14:05");
  });
  it("says the two largest units of a duration", () => {
    expect(duration(3_725_000, "ru")).toBe("1 ч 2 мин");
    expect(duration(0, "en")).toBe("0 s");
  });
  it("rounds sizes", () => {
    expect(nbsp(bytes(1_440_000, "ru"))).toBe("1,4 МБ");
    expect(nbsp(bytes(999, "en"))).toBe("999 B");
  });
  it("takes initials of any script", () => {
    expect(initials("Соколов Артём Петрович")).toBe("СА");
    expect(initials("")).toBe("");
  });
});
