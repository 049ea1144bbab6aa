// The list of drivers: pages as they come into sight, the rows before stay while a new search is answered, and a change reads
// only the pages in sight again.
import {
  type InfiniteData,
  keepPreviousData,
  useInfiniteQuery,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef } from "react";
import { listDrivers } from "../api/drivers";
import { type ListPage, mergeRows, pagesOf, replacePage } from "./pages";

const PAGE_ROWS = 200;
/** The next page is asked for when so few rows are left under those in sight. */
const AHEAD_ROWS = 120;

type Pages = InfiniteData<ListPage, string | null>;

export interface DriverFilter {
  text: string;
  park?: string | undefined;
}

export function useDriverList(filter: DriverFilter) {
  const queries = useQueryClient();
  const { text, park } = filter;
  const key = useMemo(() => ["driver-list", text, park ?? null], [text, park]);
  const version = useRef(1);
  const sight = useRef<[number, number]>([0, 0]);

  const list = useInfiniteQuery({
    queryKey: key,
    initialPageParam: null as string | null,
    queryFn: async ({ pageParam, signal }): Promise<ListPage> => {
      const page = await listDrivers({ text, park }, pageParam, PAGE_ROWS, signal);
      return { ...page, after: pageParam, version: version.current };
    },
    getNextPageParam: (last) => last.next ?? undefined,
    placeholderData: keepPreviousData,
  });

  const refresh = useCallback(
    async (signal?: AbortSignal) => {
      const pages = queries.getQueryData<Pages>(key)?.pages ?? [];
      for (const index of pagesOf(pages, ...sight.current)) {
        const old = queries.getQueryData<Pages>(key)?.pages[index];
        if (!old || old.version >= version.current) continue;
        const read = await listDrivers({ text, park }, old.after, PAGE_ROWS, signal);
        if (read.next && read.next !== old.next) {
          // Rows were put in: read on, so that none falls between this page and the next.
          const more = await listDrivers({ text, park }, read.next, PAGE_ROWS, signal);
          read.rows = [...read.rows, ...more.rows];
          read.next = more.next;
        }
        queries.setQueryData<Pages>(
          key,
          (data) => data && { ...data, pages: replacePage(data.pages, index, read, version.current) },
        );
      }
    },
    [queries, key, text, park],
  );

  // Changes make ["drivers"] stale (api/changes.ts): a new version of the list, read where people look.
  useQuery({
    queryKey: ["drivers", "news", text, park ?? null],
    initialData: 0,
    queryFn: async ({ signal }) => {
      version.current += 1;
      await refresh(signal);
      return version.current;
    },
  });

  const rows = useMemo(() => mergeRows(list.data?.pages ?? []), [list.data]);
  const { fetchNextPage, hasNextPage, isFetchingNextPage, isPlaceholderData } = list;
  const onRange = useCallback(
    (first: number, last: number) => {
      sight.current = [first, last];
      void refresh().catch(() => undefined);
      if (hasNextPage && !isFetchingNextPage && !isPlaceholderData && last > rows.length - AHEAD_ROWS) {
        void fetchNextPage();
      }
    },
    [refresh, fetchNextPage, hasNextPage, isFetchingNextPage, isPlaceholderData, rows.length],
  );
  useEffect(() => onRange(...sight.current), [onRange]);

  const total = list.data?.pages[0]?.total ?? (hasNextPage ? -1 : rows.length);
  return { query: list, rows, total, onRange, isOld: isPlaceholderData };
}
