// The shutter that releases by itself: when all was well for a second, with a countdown, stopped by moving or by Esc.
import type { Live } from "../api/pictures";

/** How ready the sitter must be, in per cent. */
export const READY = 85;
export const HOLD_MS = 1_000;
/** A face that goes further than this part of the frame between two looks has moved. */
const MOVED = 0.05;

export type Shutter =
  | { is: "waiting" }
  | { is: "counting"; since: number; face: { x: number; y: number } }
  /** Stopped by the person, or released: until it is armed again. */
  | { is: "stopped" };

export const ARMED: Shutter = { is: "waiting" };

/** Takes a look at a live frame; `fires` = shoot now. */
export function look(shutter: Shutter, live: Live, now: number): { shutter: Shutter; fires: boolean } {
  if (shutter.is === "stopped") return { shutter, fires: false };
  const face = live.face && { x: live.face.x + live.face.w / 2, y: live.face.y + live.face.h / 2 };
  if (!face || live.level === "fail" || live.readiness < READY) return { shutter: ARMED, fires: false };
  if (shutter.is === "waiting" || Math.hypot(face.x - shutter.face.x, face.y - shutter.face.y) > MOVED) {
    return { shutter: { is: "counting", since: now, face }, fires: false };
  }
  if (now - shutter.since >= HOLD_MS) return { shutter: { is: "stopped" }, fires: true };
  return { shutter: { ...shutter, face }, fires: false };
}

/** Part of the wait that is over, 0..1. */
export function progress(shutter: Shutter, now: number): number {
  return shutter.is === "counting" ? Math.min(1, (now - shutter.since) / HOLD_MS) : 0;
}
