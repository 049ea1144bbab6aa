// What a new person needs, checked before it is sent.
import { type NewPerson, ROLES, type Role, type Session } from "../api/desk";
import { PASS_CODE } from "../shared/PassCode";

const LATIN: Record<string, string> = {
  а: "a",
  б: "b",
  в: "v",
  г: "g",
  д: "d",
  е: "e",
  ё: "e",
  ж: "zh",
  з: "z",
  и: "i",
  й: "y",
  к: "k",
  л: "l",
  м: "m",
  н: "n",
  о: "o",
  п: "p",
  р: "r",
  с: "s",
  т: "t",
  у: "u",
  ф: "f",
  х: "kh",
  ц: "ts",
  ч: "ch",
  ш: "sh",
  щ: "sch",
  ъ: "",
  ы: "y",
  ь: "",
  э: "e",
  ю: "yu",
  я: "ya",
};

const LOGIN_LENGTH = 32;

/** A login offered for a name: the first word in Latin letters. */
export function loginOf(name: string): string {
  const [word = ""] = name.trim().toLowerCase().split(/\s+/);
  const latin = [...word].map((letter) => LATIN[letter] ?? letter).join("");
  return latin.replace(/[^a-z0-9._-]/g, "").slice(0, LOGIN_LENGTH);
}

export type Lacks = { [K in keyof NewPerson]?: "empty" | "short" };

export function lacksOf({ name, login, pass_code }: NewPerson): Lacks {
  const found: Lacks = {};
  if (name.trim() === "") found.name = "empty";
  if (login.trim() === "") found.login = "empty";
  if ([...pass_code].length < PASS_CODE.least) found.pass_code = "short";
  return found;
}

/** The roles that whoever is at the desk may give in a park; all of them while that is not known. */
export function rolesFor(gives: Session["gives"] | undefined, park: string): readonly Role[] {
  const known = gives?.find((one) => one.park === park);
  return known ? ROLES.filter((role) => known.roles.includes(role)) : ROLES;
}

/** Whether whoever is at the desk may add anybody. */
export function givesAny(gives: Session["gives"] | undefined): boolean {
  return !gives?.length || gives.some(({ roles }) => roles.length > 0);
}
