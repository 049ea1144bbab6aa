// The little that is needed before the appliance answers: theme and language of last time, and how far a set-up came.
// public/start.js reads the first two before the first paint.
type Key = "theme" | "lang" | "setup";

/** Set-up belongs to this tab; the look belongs to this browser. */
const storeOf = (key: Key) => (key === "setup" ? sessionStorage : localStorage);

export function remembered(key: Key): string | null {
  try {
    return storeOf(key).getItem(`parkdesk.${key}`);
  } catch {
    return null;
  }
}

export function remember(key: Key, value: string | null): void {
  try {
    if (value === null) storeOf(key).removeItem(`parkdesk.${key}`);
    else storeOf(key).setItem(`parkdesk.${key}`, value);
  } catch {
    // A browser that keeps nothing shows its own choice at the next start.
  }
}
