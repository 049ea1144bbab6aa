import { describe, expect, it } from "vitest";
import { givesAny, lacksOf, loginOf, rolesFor } from "./person";

describe("a new person", () => {
  it("is offered a login in Latin letters from the first word of the name", () => {
    expect(loginOf("Щёголева Юлия")).toBe("schegoleva");
    expect(loginOf("  O'Neil Ann")).toBe("oneil");
    expect(loginOf("")).toBe("");
  });
  it("needs a name, a login and a pass code of six characters", () => {
    const person = { park: "p", name: " ", login: "", role: "senior" as const, pass_code: "12345" };
    expect(lacksOf(person)).toEqual({ name: "empty", login: "empty", pass_code: "short" });
    expect(lacksOf({ ...person, name: "Ли", login: "li", pass_code: "пароль" })).toEqual({});
  });
  it("is offered the roles that may be given in the park, the least first, and all while that is not known", () => {
    const gives = [
      { park: "p", roles: ["senior", "photo_staff", "of_a_newer_hub"] },
      { park: "q", roles: [] },
    ];
    expect(rolesFor(gives, "p")).toEqual(["photo_staff", "senior"]);
    expect(rolesFor(gives, "q")).toEqual([]);
    expect(rolesFor(gives, "elsewhere")).toContain("admin");
    expect(rolesFor(undefined, "p")).toContain("admin");
    expect([givesAny(gives), givesAny(gives.slice(1)), givesAny([])]).toEqual([true, false, true]);
  });
});
