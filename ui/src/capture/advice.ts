// One line of advice that stands still: another one is shown only after it was the answer for a while.

/** How long an advice must last before it is shown. */
export const STEADY_MS = 600;

export interface Steady {
  /** The code that is shown; null = nothing to mend; undefined = nothing known yet. */
  shown: string | null | undefined;
  next: string | null | undefined;
  since: number;
}

export const NOTHING: Steady = { shown: undefined, next: undefined, since: 0 };

/** Takes the advice of the latest frame. */
export function steady(state: Steady, advice: string | null, now: number): Steady {
  if (state.shown === undefined) return { shown: advice, next: advice, since: now };
  if (advice === state.shown) return state.next === advice ? state : { ...state, next: advice, since: now };
  if (advice !== state.next) return { ...state, next: advice, since: now };
  return now - state.since >= STEADY_MS ? { shown: advice, next: advice, since: now } : state;
}
