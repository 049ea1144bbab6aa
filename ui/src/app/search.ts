// The part of the global search that needs no appliance: pages and commands by the beginnings of their words.

export interface Action {
  id: string;
  name: string;
  /** Other words that people type for it, in either language. */
  also?: string;
}

export function fold(text: string): string {
  return text.toLowerCase().replaceAll("ё", "е");
}

/** Whether every typed word begins a word of the name. */
export function matches({ name, also = "" }: Action, text: string): boolean {
  const words = fold(`${name} ${also}`).split(/[\s,.:;()«»"-]+/);
  const typed = fold(text).split(/\s+/).filter(Boolean);
  return typed.every((begin) => words.some((word) => word.startsWith(begin)));
}

/** What is shown for a text: drivers first, then pages, then commands; groups without rows are left out. */
export function grouped<D, P extends Action, C extends Action>(
  text: string,
  drivers: readonly D[],
  pages: readonly P[],
  commands: readonly C[],
): { drivers: D[]; pages: P[]; commands: C[] } {
  const isBlank = text.trim() === "";
  return {
    drivers: isBlank ? [] : [...drivers],
    pages: pages.filter((page) => matches(page, text)),
    commands: commands.filter((command) => matches(command, text)),
  };
}
