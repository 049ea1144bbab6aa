// The steps of set-up and what each needs before the next.

export const STEPS = ["language", "hub", "recovery", "camera", "folder", "person", "done"] as const;
export type Step = (typeof STEPS)[number];

export function isStep(text: string | null): text is Step {
  return STEPS.some((step) => step === text);
}

export interface Input {
  hub: string;
  code: string;
  name: string;
  /** The hub's own certificate authority, as PEM text. */
  ca: string;
}

export const NO_INPUT: Input = { hub: "", code: "", name: "", ca: "" };

/** The step after; a recovery code is shown only if a key was made just now. */
export function nextStep(step: Step, hasRecoveryCode: boolean): Step {
  if (step === "hub" && !hasRecoveryCode) return "camera";
  return STEPS[Math.min(STEPS.indexOf(step) + 1, STEPS.length - 1)] ?? "done";
}

/** The step before; undefined where there is no way back: enrolment is not undone by going back. */
export function previousStep(step: Step): Step | undefined {
  if (step === "hub") return "language";
  if (step === "folder") return "camera";
  if (step === "person") return "folder";
  return undefined;
}

/** The hub's address as it is asked: people leave out the scheme. */
export function hubAddress(typed: string): string | undefined {
  const text = typed.trim().replace(/\/+$/, "");
  if (text === "" || /\s/.test(text) || /^https?:$/i.test(text)) return undefined;
  const isLocal = /^(localhost|127\.|\[::1\])/.test(text);
  const full = /^https?:\/\//i.test(text) ? text : `${isLocal ? "http" : "https"}://${text}`;
  try {
    return new URL(full).host === "" ? undefined : full;
  } catch {
    return undefined;
  }
}

export type Missing = { [K in keyof Input]?: "empty" | "address" | "pem" };

/** What is missing, by field; nothing = it can be sent. */
export function missing({ hub, code, name, ca }: Input): Missing {
  const found: Missing = {};
  if (hub.trim() === "") found.hub = "empty";
  else if (!hubAddress(hub)) found.hub = "address";
  if (code.trim() === "") found.code = "empty";
  if (name.trim() === "") found.name = "empty";
  if (ca.trim() !== "" && !ca.includes("-----BEGIN CERTIFICATE-----")) found.ca = "pem";
  return found;
}

/** The field that a failed enrolment is about; undefined = none of them. */
export function fieldOf(detail: string | undefined): keyof Input | undefined {
  if (/_code$|^too_many_tries$/.test(detail ?? "")) return "code";
  if (detail === "unreachable" || detail === "not_a_hub") return "hub";
  if (detail === "tls") return "ca";
  return detail === "name" ? "name" : undefined;
}
