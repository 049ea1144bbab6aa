// Fields of a driver that are changed in place: what was seen and what is wanted, and the way back.
import type { Driver, DriverEdit, Licence } from "../api/drivers";
import { plate } from "../shared/format";

export type FieldKind = "text" | "date" | "plate" | "long" | "work_status";

export interface FieldOf {
  name: string;
  /** The field of `driver.edit` it belongs to. */
  wire: string;
  kind: FieldKind;
  isRequired?: boolean;
  value: (driver: Driver) => string;
}

const licence = (part: keyof Licence) => (driver: Driver) =>
  driver.licence?.[part] ?? (part === "number" ? driver.licence_number : undefined) ?? "";

export const FIELDS: readonly FieldOf[] = [
  { name: "last_name", wire: "last_name", kind: "text", isRequired: true, value: (d) => d.last_name ?? "" },
  {
    name: "first_name",
    wire: "first_name",
    kind: "text",
    isRequired: true,
    value: (d) => d.first_name ?? "",
  },
  { name: "middle_name", wire: "middle_name", kind: "text", value: (d) => d.middle_name ?? "" },
  { name: "plate", wire: "plate", kind: "plate", value: (d) => d.plate ?? "" },
  { name: "licence_number", wire: "licence", kind: "text", value: licence("number") },
  { name: "licence_issued_on", wire: "licence", kind: "date", value: licence("issued_on") },
  { name: "licence_expires_on", wire: "licence", kind: "date", value: licence("expires_on") },
  { name: "birth_date", wire: "birth_date", kind: "date", value: (d) => d.birth_date ?? "" },
  { name: "hired_on", wire: "hired_on", kind: "date", value: (d) => d.hired_on ?? "" },
  { name: "work_status", wire: "work_status", kind: "work_status", value: (d) => d.work_status ?? "" },
  { name: "comment", wire: "comment", kind: "long", value: (d) => d.comment ?? "" },
];

export type Checked = { edit: DriverEdit } | { error: "required" | "licence_first" } | "unchanged";

/** The edit that makes `field` read `typed`. */
export function editOf(driver: Driver, field: FieldOf, typed: string): Checked {
  const now = typed.trim();
  const was = field.value(driver);
  if (now === was.trim()) return "unchanged";
  if (now === "" && field.isRequired) return { error: "required" };
  if (field.wire === "licence")
    return licenceEdit(driver, field.name.replace("licence_", "") as keyof Licence, now);
  return {
    edit: { fields: { [field.wire]: { was: was === "" ? null : was, now: now === "" ? null : now } } },
  };
}

function licenceEdit(driver: Driver, part: keyof Licence, now: string): Checked {
  const old = driver.licence ?? (driver.licence_number ? { number: driver.licence_number } : null);
  if (part === "number" && now === "") return { edit: { fields: { licence: { was: old, now: null } } } };
  if (!old && part !== "number") return { error: "licence_first" };
  const changed: Record<string, unknown> = { ...old, [part]: now };
  if (now === "") delete changed[part];
  return { edit: { fields: { licence: { was: old, now: changed } } } };
}

/** The edit of the phones from what stands to what is wanted; undefined if nothing changes. */
export function phonesEdit(was: readonly string[], now: readonly string[]): DriverEdit | undefined {
  const digits = (phone: string) => phone.replace(/\D/g, "").replace(/^8(?=\d{10}$)/, "7");
  const has = (list: readonly string[], phone: string) => list.some((one) => digits(one) === digits(phone));
  const add_phones = now.filter((phone) => phone.trim() !== "" && !has(was, phone));
  const remove_phones = was.filter((phone) => !has(now, phone));
  return add_phones.length + remove_phones.length === 0 ? undefined : { add_phones, remove_phones };
}

/** The edit that undoes an edit. */
export function inverse(edit: DriverEdit): DriverEdit {
  const back: DriverEdit = {};
  if (edit.fields) {
    back.fields = Object.fromEntries(
      Object.entries(edit.fields).map(([field, { was, now }]) => [field, { was: now, now: was }]),
    );
  }
  if (edit.remove_phones?.length) back.add_phones = edit.remove_phones;
  if (edit.add_phones?.length) back.remove_phones = edit.add_phones;
  return back;
}

/** A value of a field as people read it, whatever the wire has. */
export function shown(value: unknown, field?: string): string {
  if (field === "plate" && typeof value === "string") return plate(value);
  if (value === null || value === undefined) return "";
  if (typeof value === "object" && "number" in value) return String(value.number);
  if (typeof value === "object") return Object.values(value).filter(Boolean).join(" ");
  return String(value);
}
