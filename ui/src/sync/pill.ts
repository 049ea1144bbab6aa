// What the sync pill says: one thing, the one that matters most to the person at the desk.
import type { Status } from "../api/queries";

/** Files of the batch that is being sent: the count begins when the queue was last empty. */
export interface Batch {
  total: number;
  left: number;
}

export const NO_BATCH: Batch = { total: 0, left: 0 };

/** The batch after the appliance told how many files are left. */
export function nextBatch({ total, left }: Batch, filesLeft: number): Batch {
  if (filesLeft === 0) return NO_BATCH;
  return { total: total + Math.max(0, filesLeft - left), left: filesLeft };
}

export type PillKind =
  | "asking"
  | "revoked"
  | "not_enrolled"
  | "offline"
  | "paused"
  | "attention"
  | "sending"
  | "starting"
  | "waiting"
  | "synced";

export interface Pill {
  kind: PillKind;
  tone: "good" | "busy" | "waiting" | "bad" | "attention";
  /** Since when, of offline and synced; until when, of paused. */
  atMs?: number;
  /** Records and files that wait. */
  waiting: number;
  /** Things to settle, shown beside the text unless the text is about them. */
  attention: number;
  /** Of sending: which file of how many, and the time left. */
  file?: { number: number; of: number };
  leftMs?: number;
}

const TONES: Record<PillKind, Pill["tone"]> = {
  asking: "waiting",
  revoked: "bad",
  not_enrolled: "bad",
  offline: "waiting",
  paused: "waiting",
  attention: "attention",
  sending: "busy",
  starting: "waiting",
  waiting: "busy",
  synced: "good",
};

export function pillOf(status: Status | undefined, batch: Batch): Pill {
  if (!status) return { kind: "asking", tone: TONES.asking, waiting: 0, attention: 0 };
  const { link, queue } = status;
  const kind = kindOf(status);
  const pill: Pill = {
    kind,
    tone: TONES[kind],
    // People think in records; a photo is one of them with three files.
    waiting: queue.commands || queue.files,
    attention: kind === "attention" ? 0 : status.needs_attention,
  };
  if (kind === "attention") pill.waiting = status.needs_attention;
  if (kind === "offline" || kind === "synced") setIf(pill, "atMs", link.last_contact_at_ms);
  if (kind === "paused") setIf(pill, "atMs", link.next_try_at_ms);
  if (kind === "sending" && link.sending) {
    pill.file = { number: Math.max(1, batch.total - batch.left + 1), of: Math.max(batch.total, 1) };
    setIf(pill, "leftMs", link.sending.left_ms);
  }
  return pill;
}

function setIf(pill: Pill, key: "atMs" | "leftMs", value: number | null | undefined): void {
  if (value !== null && value !== undefined) pill[key] = value;
}

function kindOf({ link, queue, needs_attention }: Status): PillKind {
  if (link.state === "revoked" || link.state === "not_enrolled") return link.state;
  // Offline for days is normal here: it stays in sight even when something is to be settled (a mark beside it).
  if (link.state === "offline" || link.state === "paused") return link.state;
  if (needs_attention > 0) return "attention";
  if (link.sending && link.sending.files_left > 0) return "sending";
  if (link.state === "starting") return "starting";
  return queue.commands + queue.files > 0 ? "waiting" : "synced";
}
