// The list of drivers as it is read: pages by keyset, kept whole when one of them is read again.
//
// A change (somebody's photo was approved, a driver was added) reads only the pages in sight again, never all that were ever
// scrolled through. Page boundaries stay where they were: a page that grew overlaps the next one, and the overlap is dropped.
import type { DriverPage, DriverRow } from "../api/drivers";

export interface ListPage extends DriverPage {
  /** Where it begins: the cursor it was read with. */
  after: string | null;
  /** Which news it knows. */
  version: number;
}

export const rowKey = (row: Pick<DriverRow, "park" | "id">) => `${row.park}/${row.id}`;

/** All rows in order; a row told twice stands where it was told first. */
export function mergeRows(pages: readonly ListPage[]): DriverRow[] {
  const seen = new Set<string>();
  const rows: DriverRow[] = [];
  for (const page of pages) {
    for (const row of page.rows) {
      const key = rowKey(row);
      if (seen.has(key)) continue;
      seen.add(key);
      rows.push(row);
    }
  }
  return rows;
}

/** The pages that hold the rows from `first` to `last`. */
export function pagesOf(pages: readonly ListPage[], first: number, last: number): number[] {
  const found: number[] = [];
  let start = 0;
  pages.forEach((page, index) => {
    const end = start + page.rows.length;
    if (start <= last && end > first) found.push(index);
    start = end;
  });
  return found;
}

/**
 * Puts what was read anew in the place of page `index`. `read` has the rows from the page's start on, at least up to its old
 * end unless the list ended before.
 */
export function replacePage(
  pages: readonly ListPage[],
  index: number,
  read: DriverPage,
  version: number,
): ListPage[] {
  const old = pages[index];
  if (!old) return [...pages];
  const isLast = index === pages.length - 1;
  const page: ListPage = {
    after: old.after,
    rows: read.rows,
    next: isLast || !read.next ? read.next : old.next,
    total: read.total,
    version,
  };
  // The list ends here now: what came after it is gone.
  if (!read.next) return [...pages.slice(0, index), page];
  return pages.map((one, at) => (at === index ? page : { ...one, total: read.total }));
}
