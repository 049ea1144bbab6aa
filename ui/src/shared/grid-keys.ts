// Where the keys of a grid lead: one row up or down, a page, the first, the last.

/** The row that a key leads to from `active` (-1 = none yet); undefined if the key is none of a grid. */
export function rowFor(key: string, active: number, count: number, perPage: number): number | undefined {
  if (count === 0) return undefined;
  const last = count - 1;
  const to = (row: number) => Math.min(last, Math.max(0, row));
  switch (key) {
    case "ArrowDown":
      return to(active + 1);
    case "ArrowUp":
      return to(active - 1);
    case "PageDown":
      return to(Math.max(active, 0) + Math.max(1, perPage - 1));
    case "PageUp":
      return to(active - Math.max(1, perPage - 1));
    case "Home":
      return 0;
    case "End":
      return last;
    default:
      return undefined;
  }
}

/** The same for tiles in rows of `columns`. */
export function tileFor(key: string, active: number, count: number, columns: number): number | undefined {
  if (count === 0) return undefined;
  const to = (tile: number) => (tile < 0 || tile >= count ? active : tile);
  switch (key) {
    case "ArrowRight":
      return to(active + 1);
    case "ArrowLeft":
      return to(active - 1);
    case "ArrowDown":
      return active + columns >= count ? count - 1 : active + columns;
    case "ArrowUp":
      return to(active - columns);
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return undefined;
  }
}
