// What an answer that is no success says: a closed code that pages act on, a sentence, a detail.
import type { components } from "./schema";

export type Code = components["schemas"]["Code"];

export class Problem extends Error {
  readonly code: Code | "no_answer";
  readonly detail: string | undefined;
  readonly status: number;

  constructor(code: Code | "no_answer", message: string, status: number, detail?: string) {
    super(message);
    this.name = "Problem";
    this.code = code;
    this.status = status;
    this.detail = detail;
  }
}

/** Whatever was thrown, as a problem: a broken connection to the appliance is one, too. */
export function asProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new Problem("no_answer", message, 0);
}
