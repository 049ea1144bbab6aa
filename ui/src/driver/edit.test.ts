import { describe, expect, it } from "vitest";
import type { Driver } from "../api/drivers";
import { editOf, FIELDS, type FieldOf, inverse, phonesEdit, shown } from "./edit";

const driver: Driver = {
  id: "d",
  park: "p",
  name: "Орлов Семён",
  last_name: "Орлов",
  first_name: "Семён",
  phones: ["+7 903 765-43-21"],
  plate: "К777ОМ99",
  licence: { country: "rus", number: "99 ХЕ 654321", issued_on: "2019-03-01" },
  state: "accepted",
  attention: [],
  read_only: false,
};
const field = (name: string) => FIELDS.find((one) => one.name === name) as FieldOf;

describe("an edit of a field", () => {
  it("says what was seen and what is wanted", () => {
    expect(editOf(driver, field("plate"), " А123ВС77 ")).toEqual({
      edit: { fields: { plate: { was: "К777ОМ99", now: "А123ВС77" } } },
    });
  });
  it("is none when nothing was changed", () => {
    expect(editOf(driver, field("plate"), "К777ОМ99 ")).toBe("unchanged");
  });
  it("writes nothing as nothing, not as an empty text", () => {
    expect(editOf(driver, field("middle_name"), "Ильич")).toEqual({
      edit: { fields: { middle_name: { was: null, now: "Ильич" } } },
    });
    expect(editOf(driver, field("plate"), "")).toEqual({
      edit: { fields: { plate: { was: "К777ОМ99", now: null } } },
    });
  });
  it("keeps the name of a person", () => {
    expect(editOf(driver, field("last_name"), "  ")).toEqual({ error: "required" });
  });
  it("changes one part of the licence and keeps the others", () => {
    expect(editOf(driver, field("licence_number"), "99 ХЕ 111111")).toEqual({
      edit: {
        fields: {
          licence: {
            was: { country: "rus", number: "99 ХЕ 654321", issued_on: "2019-03-01" },
            now: { country: "rus", number: "99 ХЕ 111111", issued_on: "2019-03-01" },
          },
        },
      },
    });
  });
  it("asks for the licence's number before its dates", () => {
    const without = { ...driver, licence: null };
    expect(editOf(without, field("licence_issued_on"), "2020-01-01")).toEqual({ error: "licence_first" });
  });
});

describe("phones", () => {
  it("are the same however they are written", () => {
    expect(phonesEdit(driver.phones, ["8 (903) 765 43 21"])).toBeUndefined();
  });
  it("are added and taken out as a set", () => {
    expect(phonesEdit(driver.phones, ["+7 916 123-45-67", ""])).toEqual({
      add_phones: ["+7 916 123-45-67"],
      remove_phones: ["+7 903 765-43-21"],
    });
  });
});

describe("the way back", () => {
  it("wants what was and expects what was wanted", () => {
    const edit = { fields: { plate: { was: "A", now: "B" } }, add_phones: ["1"], remove_phones: ["2"] };
    expect(inverse(edit)).toEqual({
      fields: { plate: { was: "B", now: "A" } },
      add_phones: ["2"],
      remove_phones: ["1"],
    });
    expect(inverse(inverse(edit))).toEqual(edit);
  });
});

describe("shown", () => {
  it("reads a licence by its number and nothing as nothing", () => {
    expect(shown(driver.licence)).toBe("99 ХЕ 654321");
    expect(shown(null)).toBe("");
    expect(shown("x")).toBe("x");
    expect(shown("А777АА77", "plate")).toBe("А 777 АА 77");
  });
});
