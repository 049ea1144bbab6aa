// How the appliance is reached: HTTP in a browser, one raw command in the desktop window. Nothing else knows which.
//
// Window framing (src-tauri/src/api.rs): the command `api` takes the body as raw bytes with the request's method, path
// and content type in headers, and answers bytes: the length of a JSON head (u32, little endian), the head
// {status, content_type}, the body. Bodies are ArrayBuffers only: a Blob kills WebKitGTK's web process.
import { invoke } from "@tauri-apps/api/core";

declare global {
  interface Window {
    __TAURI_INTERNALS__?: unknown;
  }
}

export const isWindow = typeof window !== "undefined" && window.__TAURI_INTERNALS__ !== undefined;

/** `fetch` for the appliance's API, whatever the host. */
export async function send(request: Request): Promise<Response> {
  if (!isWindow) return fetch(request);
  const url = new URL(request.url);
  const body = new Uint8Array(await request.arrayBuffer());
  const answer = await Promise.race([
    invoke<ArrayBuffer>("api", body, {
      headers: {
        "parkdesk-method": request.method,
        "parkdesk-path": url.pathname + url.search,
        "parkdesk-content-type": request.headers.get("content-type") ?? "",
      },
    }),
    aborted(request.signal),
  ]);
  return readFrame(answer);
}

/** The answer of the window's command as a Response. */
export function readFrame(frame: ArrayBuffer): Response {
  const length = new DataView(frame).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(frame, 4, length))) as {
    status: number;
    content_type: string;
  };
  const body = frame.slice(4 + length);
  return new Response(body.byteLength > 0 ? body : null, {
    status: head.status,
    headers: { "content-type": head.content_type },
  });
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => reject(new DOMException("aborted", "AbortError"));
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
  });
}

/** The address of a picture, for an <img>. */
export function imageUrl(path: string): string {
  return isWindow ? `photo://localhost${path}` : path;
}
