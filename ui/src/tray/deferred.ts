// Things that cannot be undone once they are done: they are done only when the time to undo is over. What waits is hidden
// meanwhile; closing the program leaves it undone, so nothing is lost by accident.

export class Deferred {
  private waiting = new Map<string, ReturnType<typeof setTimeout>>();
  private ids: readonly string[] = [];
  private listeners = new Set<() => void>();

  /** Does `act` after `ms`, unless it is taken back before. */
  add(id: string, ms: number, act: () => Promise<unknown>): void {
    this.back(id);
    const timer = setTimeout(() => {
      // Hidden until it is done: it must not come back for a moment.
      void act()
        .catch(() => undefined)
        .finally(() => this.remove(id));
    }, ms);
    this.waiting.set(id, timer);
    this.tell();
  }

  /** Takes it back; false if it is too late. */
  back(id: string): boolean {
    const timer = this.waiting.get(id);
    if (timer === undefined) return false;
    clearTimeout(timer);
    this.remove(id);
    return true;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** What waits, for useSyncExternalStore. */
  all = (): readonly string[] => this.ids;

  private remove(id: string): void {
    this.waiting.delete(id);
    this.tell();
  }

  private tell(): void {
    this.ids = [...this.waiting.keys()];
    for (const listener of this.listeners) listener();
  }
}
