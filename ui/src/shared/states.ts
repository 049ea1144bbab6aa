// What a file of states (`*.states.tsx`, beside its component) exports for the gallery of development builds.
import type { ReactNode } from "react";

/** What the fake appliance answers: data, a problem, or a function of the request. */
export type Answer = unknown;
/** Method and path, a star for any segment -> answer. */
export type Answers = Record<string, Answer>;

export type State = { answers?: Answers } & (
  | {
      /** A component by itself. */
      render: () => ReactNode;
      /** In pixels, if it is not as wide as the list. */
      width?: number;
    }
  | {
      /** A component that fills the window, shown by itself. */
      whole: () => ReactNode;
    }
  | {
      /** The whole app at this address. */
      page: string;
    }
);

export type States = Record<string, State>;

/** An answer that is no success. */
export class Refusal {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail?: string,
  ) {}
}

export function problem(status: number, code: string, detail?: string): Refusal {
  return new Refusal(status, code, detail);
}
