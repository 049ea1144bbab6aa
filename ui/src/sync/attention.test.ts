import { describe, expect, it } from "vitest";
import { commandOf, formOf, isDecided, isEditable, linesOf, resolve } from "./attention";

const edit = {
  command: "driver.edit",
  offers: ["retry", "edit", "discard"],
  input: {
    driver: "d1",
    park: "p1",
    fields: {
      last_name: { was: "Орлов", now: "Орлова" },
      licence: { was: null, now: { number: "99 ХЕ 654321", country: "rus" } },
    },
    phones: { add: ["+79161234567"], remove: ["+79030000000"] },
  },
  conflicts: [
    { field: "last_name", wanted: "Орлова", stands: "Орловская" },
    { field: "comment", wanted: "ночная смена", stands: null },
  ],
};

describe("the input of an entry", () => {
  it("is told field by field, without ids", () => {
    expect(linesOf(edit)).toEqual([
      { field: "last_name", was: "Орлов", now: "Орлова" },
      { field: "licence", was: null, now: { number: "99 ХЕ 654321", country: "rus" } },
      { field: "phones_add", now: ["+79161234567"] },
      { field: "phones_remove", now: ["+79030000000"] },
    ]);
  });
  it("says nothing of files and geometry of a photo", () => {
    const input = {
      photo: "x",
      park: "p",
      driver: "d",
      original: {},
      thumb: {},
      quality: {},
      source: "camera",
    };
    expect(linesOf({ input: input })).toEqual([{ field: "source", now: "camera" }]);
  });
});

describe("the form of an entry", () => {
  it("shows the wanted values of an edit and keeps everything else when it is sent", () => {
    const form = formOf(edit);
    expect(form.map(({ field, text }) => [field, text])).toEqual([
      ["last_name", "Орлова"],
      ["licence.number", "99 ХЕ 654321"],
      ["phones_add", "+79161234567"],
    ]);
    const changed = form.map((field) =>
      field.field === "last_name" ? { ...field, text: " Орлова-Лис " } : field,
    );
    expect(commandOf(edit, changed)).toEqual({
      kind: "driver.edit",
      args: {
        ...edit.input,
        fields: { ...edit.input.fields, last_name: { was: "Орлов", now: "Орлова-Лис" } },
      },
    });
  });
  it("makes a licence for a new driver who had none, and none of an empty field", () => {
    const entry = {
      command: "driver.create",
      input: { driver: "d", park: "p", last_name: "Ли", first_name: "Ян" },
    };
    const form = formOf(entry).map((field) =>
      field.field === "licence.number" ? { ...field, text: "99 11 000001" } : field,
    );
    expect(commandOf(entry, form).args).toMatchObject({
      licence: { number: "99 11 000001" },
      phones: [],
      middle_name: null,
    });
    expect(commandOf(entry, formOf(entry)).args).toMatchObject({ licence: null });
  });
  it("splits phones at commas", () => {
    const entry = { command: "driver.create", input: { phones: ["1", "2"] } };
    const form = formOf(entry).map((field) => (field.many ? { ...field, text: "1, 3" } : field));
    expect(commandOf(entry, form).args.phones).toEqual(["1", "3"]);
  });
  it("is offered only for what has fields to change", () => {
    expect(isEditable(edit)).toBe(true);
    expect(isEditable({ ...edit, command: "photo.capture" })).toBe(false);
    expect(isEditable({ ...edit, offers: ["discard"] })).toBe(false);
  });
});

describe("a choice between two values", () => {
  it("sends the own values against those that stand", () => {
    expect(resolve(edit, { last_name: "wanted", comment: "stands" })).toEqual({
      kind: "driver.edit",
      args: { driver: "d1", park: "p1", fields: { last_name: { was: "Орловская", now: "Орлова" } } },
    });
  });
  it("sends nothing where everything that stands was chosen", () => {
    expect(resolve(edit, { last_name: "stands", comment: "stands" })).toBeUndefined();
  });
  it("is made only when every field is decided", () => {
    expect(isDecided(edit, { last_name: "wanted" })).toBe(false);
    expect(isDecided(edit, { last_name: "wanted", comment: "stands" })).toBe(true);
  });
});
