// How the appliance is reached: HTTP in a browser, one raw command in the desktop window. Nothing else knows which.
//
// Window framing, both ways the same: the length of a JSON head (u32, big endian), the head, the body. Bodies are ArrayBuffers
// only: a Blob kills WebKitGTK's web process. The command cannot be broken off; an aborted call is just not waited for.
import { invoke } from "@tauri-apps/api/core";

declare global {
  interface Window {
    __TAURI_INTERNALS__?: unknown;
  }
}

export const isWindow = typeof window !== "undefined" && "__TAURI_INTERNALS__" in window;

/** `fetch` for the appliance's API, whatever the host. */
export async function send(request: Request): Promise<Response> {
  if (!isWindow) return fetch(request);
  const url = new URL(request.url);
  const head = {
    method: request.method,
    path: url.pathname + url.search,
    content_type: request.headers.get("content-type"),
  };
  const frame = writeFrame(head, new Uint8Array(await request.arrayBuffer()));
  const answer = await Promise.race([invoke<ArrayBuffer>("api", frame), aborted(request.signal)]);
  return readFrame(answer);
}

/** A head and a body as one frame. */
export function writeFrame(head: object, body: Uint8Array): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(head));
  const frame = new Uint8Array(4 + json.length + body.length);
  new DataView(frame.buffer).setUint32(0, json.length);
  frame.set(json, 4);
  frame.set(body, 4 + json.length);
  return frame;
}

/** The answer of the window's command as a Response. */
export function readFrame(frame: ArrayBuffer): Response {
  const length = new DataView(frame).getUint32(0);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(frame, 4, length))) as {
    status: number;
    content_type: string | null;
  };
  const body = frame.slice(4 + length);
  return new Response(body.byteLength > 0 ? body : null, {
    status: head.status,
    headers: head.content_type ? { "content-type": head.content_type } : {},
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

/** The system's dialog for a folder; only in the window. null = none was chosen. */
export function chooseFolder(title: string): Promise<string | null> {
  return invoke<string | null>("choose_folder", { title });
}

/** Opens the watched folder in the file manager; only in the window. */
export async function showFolder(): Promise<void> {
  await invoke("show_folder");
}

/** The window's own facts: its version, and whether it starts with the computer. */
export function windowInfo(): Promise<{ version: string; autostart: boolean }> {
  return invoke("window_info");
}

/** Whether the window starts with the computer; tells what it is now. */
export function setAutostart(on: boolean): Promise<boolean> {
  return invoke("set_autostart", { on });
}
