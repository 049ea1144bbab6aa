// The appliance of the gallery: answers from fixtures instead of the network, a moment later as the real one does.
import { type Answers, Refusal } from "../shared/states";

const real = globalThis.fetch;

/** Answers every call of the API from `answers` until the returned function is called. */
export function fakeAppliance(answers: Answers): () => void {
  const routes = Object.entries(answers).map(([key, answer]) => ({ matches: matcher(key), answer }));
  globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    if (!url.pathname.startsWith("/api/v1/")) return real(input, init);
    if (url.pathname === "/api/v1/changes") return never(request.signal);
    const route = routes.findLast(({ matches }) => matches(request.method, url));
    if (!route) return answerOf(new Refusal(404, "not_found", `${request.method} ${url.pathname}`));
    const { answer } = route;
    const body = request.method === "GET" ? undefined : await request.text();
    return answerOf(
      typeof answer === "function" ? await answer(url, body ? parse(body) : undefined) : answer,
    );
  };
  return () => {
    globalThis.fetch = real;
  };
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

function matcher(key: string): (method: string, url: URL) => boolean {
  const [method = "GET", path = ""] = key.split(" ");
  const withQuery = path.includes("?");
  const segments = path.split("?")[0]?.split("/") ?? [];
  return (asked, url) => {
    if (asked !== method || (withQuery && url.pathname + decodeURIComponent(url.search) !== path))
      return false;
    const have = url.pathname.split("/");
    return have.length === segments.length && segments.every((want, at) => want === "*" || want === have[at]);
  };
}

function answerOf(answer: unknown): Response {
  const isRefusal = answer instanceof Refusal;
  const body = isRefusal
    ? { code: answer.code, message: answer.code, detail: answer.detail ?? null }
    : answer;
  return new Response(JSON.stringify(body), {
    status: isRefusal ? answer.status : 200,
    headers: { "content-type": "application/json" },
  });
}

function never(signal: AbortSignal): Promise<Response> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")), { once: true });
  });
}
