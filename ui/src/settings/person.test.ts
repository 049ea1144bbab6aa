import { describe, expect, it } from "vitest";
import { lacksOf, loginOf, rolesFor } from "./person";

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
  it("can be made an administrator by an administrator only", () => {
    expect(rolesFor("senior")).not.toContain("admin");
    expect(rolesFor("admin")).toContain("admin");
  });
});
