// What stands behind an entry of "Needs attention": its input in lines that people read, the form to change it, and the
// command that a choice between two values makes. The command is the one of the wire: kind and arguments.
import type { AttentionView } from "../api/desk";

type Json = Record<string, unknown>;

export interface Command {
  kind: string;
  args: Json;
}

/** A line of what was wanted. `was` only where something was to be changed. */
export interface Line {
  field: string;
  was?: unknown;
  now: unknown;
}

/** Arguments that say nothing to people: ids, files, geometry. */
const HIDDEN = new Set([
  "driver",
  "photo",
  "park",
  "person",
  "decision",
  "undoes",
  "original",
  "portrait",
  "thumb",
  "crop",
  "face",
  "quality",
  "codes",
  "priority",
  "verifier",
  "a",
  "b",
]);

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isChange = (value: unknown): value is { was: unknown; now: unknown } =>
  isObject(value) && "was" in value && "now" in value;

/** What was wanted, field by field. */
export function linesOf({ input }: Pick<AttentionView, "input">): Line[] {
  if (!isObject(input)) return [];
  return Object.entries(input).flatMap(([field, value]): Line[] => {
    if (field === "fields" && isObject(value)) return Object.entries(value).map(lineOf);
    if (field === "phones" && isObject(value)) {
      const { add = [], remove = [] } = value as { add?: unknown[]; remove?: unknown[] };
      return [
        ...(add.length ? [{ field: "phones_add", now: add }] : []),
        ...(remove.length ? [{ field: "phones_remove", now: remove }] : []),
      ];
    }
    if (HIDDEN.has(field) || value === null || value === undefined) return [];
    return [lineOf([field, value])];
  });
}

function lineOf([field, value]: [string, unknown]): Line {
  return isChange(value) ? { field, was: value.was, now: value.now } : { field, now: value };
}

/** A field of the form: where in the arguments it stands, and its text. */
export interface FormField {
  path: string;
  field: string;
  text: string;
  many: boolean;
}

const EDITABLE_KINDS = new Set(["driver.create", "driver.edit", "person.create"]);
const FORM_FIELDS: Record<string, readonly string[]> = {
  "driver.create": ["last_name", "first_name", "middle_name", "phones", "licence.number", "plate", "comment"],
  "person.create": ["name", "login"],
};

const REQUIRED = new Set(["last_name", "first_name", "name", "login"]);

/** Whether its input can be changed by hand here. */
export function isEditable({ command, offers }: Pick<AttentionView, "command" | "offers">): boolean {
  return offers.includes("edit") && EDITABLE_KINDS.has(command ?? "");
}

/** The form of an entry's input. */
export function formOf({ command, input }: Pick<AttentionView, "command" | "input">): FormField[] {
  if (!isObject(input)) return [];
  if (command !== "driver.edit") {
    return (FORM_FIELDS[command ?? ""] ?? []).map((path) => formField(path, path, read(input, path)));
  }
  const fields = isObject(input.fields) ? Object.entries(input.fields) : [];
  const edited = fields.flatMap(([field, change]) => {
    const path = `fields.${field}.now`;
    const now = isChange(change) ? change.now : undefined;
    if (field === "licence")
      return [formField(`${path}.number`, "licence.number", isObject(now) ? now.number : undefined)];
    return isObject(now) ? [] : [formField(path, field, now)];
  });
  const phones = isObject(input.phones) ? input.phones.add : undefined;
  return Array.isArray(phones) && phones.length > 0
    ? [...edited, formField("phones.add", "phones_add", phones)]
    : edited;
}

function formField(path: string, field: string, value: unknown): FormField {
  const many = Array.isArray(value) || field === "phones";
  const text = Array.isArray(value)
    ? value.join(", ")
    : value === null || value === undefined
      ? ""
      : String(value);
  return { path, field, text, many };
}

function read(value: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((at, key) => (isObject(at) ? at[key] : undefined), value);
}

/** The command that the filled form makes; what the form does not show stays as it was. */
export function commandOf(
  entry: Pick<AttentionView, "command" | "input">,
  form: readonly FormField[],
): Command {
  const args = structuredClone(isObject(entry.input) ? entry.input : {}) as Json;
  for (const { path, text, many } of form) {
    const typed = text.trim();
    if (many)
      write(
        args,
        path,
        typed
          .split(/[,;\n]/)
          .map((part) => part.trim())
          .filter(Boolean),
      );
    else if (typed !== "" || REQUIRED.has(path)) write(args, path, typed);
    // A licence without a number is none.
    else write(args, path.replace(/\.number$/, ""), null);
  }
  return { kind: entry.command ?? "", args };
}

function write(args: Json, path: string, value: unknown): void {
  const keys = path.split(".");
  const last = keys.pop() ?? "";
  let at = args;
  for (const key of keys) {
    const inner = at[key];
    at[key] = isObject(inner) ? inner : {};
    at = at[key] as Json;
  }
  at[last] = value;
}

export type Side = "wanted" | "stands";

/** What a choice between the two values of each conflict comes to: an edit of the fields where the own value was chosen, seen
 * against the value that stands now; nothing to send if what stands was chosen everywhere. */
export function resolve(
  { input, conflicts }: Pick<AttentionView, "input" | "conflicts">,
  choices: Record<string, Side>,
): Command | undefined {
  const own = conflicts.filter(({ field }) => choices[field] === "wanted");
  if (own.length === 0 || !isObject(input)) return undefined;
  const fields = Object.fromEntries(
    own.map(({ field, wanted, stands }) => [field, { was: stands, now: wanted }]),
  );
  return { kind: "driver.edit", args: { driver: input.driver, park: input.park, fields } };
}

/** Whether a side is chosen for every conflict. */
export function isDecided(
  { conflicts }: Pick<AttentionView, "conflicts">,
  choices: Record<string, Side>,
): boolean {
  return conflicts.every(({ field }) => choices[field] !== undefined);
}
