// The typed client, generated from the appliance's OpenAPI file (`npm run api`). The only way to the API.
import createClient from "openapi-fetch";
import { asProblem, type Code, Problem } from "./problem";
import type { components, paths } from "./schema";
import { isWindow, send } from "./transport";

export type Schemas = components["schemas"];

const baseUrl = isWindow ? "http://appliance.localhost" : window.location.origin;

export const V1 = "/api/v1";

/** A call that is broken off when nobody waits for it any more. */
export const stoppedBy = (signal?: AbortSignal) => (signal ? { signal } : {});

export const client = createClient<paths>({ baseUrl, fetch: send });

/** The data of an answer, or a thrown Problem. */
export async function unwrap<T>(
  answer: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<T> {
  const { data, error, response } = await answer.catch((thrown: unknown) => {
    if (thrown instanceof DOMException && thrown.name === "AbortError") throw thrown;
    throw asProblem(thrown);
  });
  if (response.ok) return data as T;
  throw problemOf(error, response.status);
}

/** Sends bytes (a picture) and reads JSON. */
export async function sendBytes<T>(path: string, body: ArrayBuffer, signal?: AbortSignal): Promise<T> {
  const init: RequestInit = {
    method: "POST",
    body,
    headers: { "content-type": "application/octet-stream" },
    ...(signal ? { signal } : {}),
  };
  return readJson<T>(new Request(baseUrl + path, init));
}

/** Sends a request and reads JSON; a non-success is a thrown Problem. */
async function readJson<T>(request: Request): Promise<T> {
  let response: Response;
  try {
    response = await send(request);
  } catch (thrown) {
    if (thrown instanceof DOMException && thrown.name === "AbortError") throw thrown;
    throw asProblem(thrown);
  }
  const text = await response.text();
  let data: unknown;
  try {
    data = text === "" ? undefined : JSON.parse(text);
  } catch {
    throw new Problem("no_answer", "the answer is not one of this appliance", response.status);
  }
  if (response.ok) return data as T;
  throw problemOf(data, response.status);
}

function problemOf(error: unknown, status: number): Problem {
  if (typeof error === "object" && error !== null && "code" in error && "message" in error) {
    const { code, message, detail } = error as { code: Code; message: string; detail?: string | null };
    return new Problem(code, message, status, detail ?? undefined);
  }
  return new Problem("no_answer", `status ${status}`, status);
}
