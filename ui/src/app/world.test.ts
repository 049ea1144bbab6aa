import { describe, expect, it } from "vitest";
import { Problem } from "../api/problem";
import { INSTALLATION, sessionOf } from "../dev/fixtures";
import { type Known, worldOf } from "./world";

const known = (more: Partial<Known> = {}): Known => ({
  installation: INSTALLATION,
  problem: undefined,
  session: sessionOf(),
  sessionProblem: undefined,
  isRevoked: false,
  isSettingUp: false,
  knowsRevoked: false,
  ...more,
});

describe("the world that is shown", () => {
  it("is the desk for somebody who signed in, and for everybody where nobody has to", () => {
    expect(worldOf(known())).toBe("desk");
    expect(worldOf(known({ session: sessionOf({ required: false, person: null }) }))).toBe("desk");
  });
  it("is sign-in where people exist and nobody is at the desk", () => {
    expect(worldOf(known({ session: sessionOf({ person: null }) }))).toBe("signed_out");
  });
  it.each(["no_key", "unreadable"] as const)(
    "is the screen that says what to do when the state is %s",
    (state) => {
      expect(worldOf(known({ installation: { ...INSTALLATION, state } }))).toBe(state);
    },
  );
  it("is set-up on a new appliance, and stays it until its last step", () => {
    expect(worldOf(known({ installation: { ...INSTALLATION, state: "new" }, session: undefined }))).toBe(
      "setup",
    );
    expect(worldOf(known({ isSettingUp: true, session: sessionOf({ person: null }) }))).toBe("setup");
  });
  it("says how to get in to a browser that was not let in", () => {
    const problem = new Problem("unauthorized", "no", 401);
    expect(worldOf(known({ installation: undefined, problem }))).toBe("unauthorized");
  });
  it("keeps the desk when a later call has no answer, and says so when the first has none", () => {
    const problem = new Problem("no_answer", "gone", 0);
    expect(worldOf(known({ problem }))).toBe("desk");
    expect(worldOf(known({ problem, installation: undefined }))).toBe("no_answer");
  });
  it("waits while the window says that the appliance is starting", () => {
    const problem = new Problem("later", "starting", 503);
    expect(worldOf(known({ problem, installation: undefined }))).toBe("starting");
  });
  it("tells once that the hub turned the appliance away", () => {
    expect(worldOf(known({ isRevoked: true }))).toBe("revoked");
    expect(worldOf(known({ isRevoked: true, knowsRevoked: true }))).toBe("desk");
  });
});
