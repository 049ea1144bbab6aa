// Routes whose Rust side is not on main yet. Each goes to its typed call in `client` when it lands;
// this file is gone when issue 3 is done.
import { readJson } from "./client";
import { isWindow } from "./transport";

const base = isWindow ? "http://appliance.localhost" : window.location.origin;

export function call<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const init: RequestInit = { method, ...(signal ? { signal } : {}) };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { "content-type": "application/json" };
  }
  return readJson<T>(new Request(base + path, init));
}
