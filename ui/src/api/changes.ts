// The news of the appliance: one long poll that tells which queries to read again. Query keys begin with the noun of a
// change tag (`driver`, `photo`, `tray`, ...), so that a committed change re-reads exactly what it touched.
import type { QueryClient } from "@tanstack/react-query";
import { client, unwrap } from "./client";

const WAIT_MS = 25_000;
const RETRY_MS = 2_000;

/** Which query keys a change tag makes stale. */
export function keysOf(tag: string): string[][] {
  const [noun = "", id] = tag.split("/");
  const keys = [["status"]];
  switch (noun) {
    case "driver":
      keys.push(["drivers"], id ? ["driver", id] : ["driver"]);
      break;
    case "photo":
      keys.push(["photos"], id ? ["photo", id] : ["photo"], ["driver"], ["drivers"]);
      break;
    case "outbox":
      keys.push(["sync"], ["driver"], ["drivers"], ["photos"], ["photo"], ["people"]);
      break;
    case "needs_attention":
      keys.push(["attention"], ["driver"]);
      break;
    case "user":
      keys.push(["people"], ["session"]);
      break;
    case "identity":
      keys.push(["installation"], ["session"]);
      break;
    case "driver_card":
      keys.push(["drivers"]);
      break;
    case "tray":
      keys.push(["tray"]);
      break;
    case "blobs":
      keys.push(["photos"], ["photo"], ["sync"]);
      break;
    default:
      keys.push([noun]);
  }
  return keys;
}

/** Follows the appliance until `signal` ends it. */
export async function followChanges(queries: QueryClient, signal: AbortSignal): Promise<void> {
  let after = 0;
  while (!signal.aborted) {
    try {
      const query = { after, wait_ms: WAIT_MS };
      const news = await unwrap(client.GET("/api/v1/changes", { params: { query }, signal }));
      after = news.next;
      const keys = new Map(news.tags.flatMap(keysOf).map((key) => [key.join("/"), key]));
      for (const queryKey of keys.values()) void queries.invalidateQueries({ queryKey });
    } catch {
      if (signal.aborted) return;
      // The appliance restarts, or this browser was signed out: the status query tells the person.
      void queries.invalidateQueries({ queryKey: ["status"] });
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}
