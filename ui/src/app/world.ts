// Which world the person is in: set-up, a screen that says what hinders, sign-in, or the desk.
import type { Installation, Session } from "../api/desk";
import type { Problem } from "../api/problem";

export type World =
  | "starting"
  | "no_answer"
  | "unauthorized"
  | "setup"
  | "no_key"
  | "unreadable"
  | "signed_out"
  | "revoked"
  | "desk";

export interface Known {
  installation: Installation | undefined;
  problem: Problem | undefined;
  session: Session | undefined;
  sessionProblem: Problem | undefined;
  isRevoked: boolean;
  /** A set-up began here and has steps left. */
  isSettingUp: boolean;
  /** The person read that the hub turned the appliance away and went on to what remains. */
  knowsRevoked: boolean;
}

export function worldOf(known: Known): World {
  const { installation, problem, session, sessionProblem } = known;
  if (problem?.code === "unauthorized" || sessionProblem?.code === "unauthorized") return "unauthorized";
  // The window says so while the appliance starts.
  if (problem?.code === "later" && !installation) return "starting";
  if (problem && !installation) return "no_answer";
  if (!installation) return "starting";
  if (installation.state === "new" || known.isSettingUp) return "setup";
  if (installation.state !== "ready") return installation.state;
  if (!session) return sessionProblem ? "no_answer" : "starting";
  if (session.required && !session.person) return "signed_out";
  return known.isRevoked && !known.knowsRevoked ? "revoked" : "desk";
}
