import { describe, expect, it } from "vitest";
import { statusOf } from "../dev/fixtures";
import { NO_BATCH, nextBatch, pillOf } from "./pill";

const link = (state: string, more: object = {}) => ({ state, last_contact_at_ms: 1_000, ...more });

describe("the sync pill", () => {
  it("tells when the last exchange was while nothing waits", () => {
    const pill = pillOf(statusOf({ link: link("online") }), NO_BATCH);
    expect(pill).toMatchObject({ kind: "synced", tone: "good", atMs: 1_000 });
  });
  it("tells since when it is offline and how much waits", () => {
    const pill = pillOf(statusOf({ link: link("offline"), queue: { commands: 14, files: 42 } }), NO_BATCH);
    expect(pill).toMatchObject({ kind: "offline", atMs: 1_000, waiting: 14 });
    const files = pillOf(statusOf({ link: link("offline"), queue: { commands: 0, files: 5 } }), NO_BATCH);
    expect(files.waiting).toBe(5);
  });
  it("keeps offline in sight when something is to be settled, and marks that beside it", () => {
    const pill = pillOf(statusOf({ link: link("offline"), needs_attention: 2 }), NO_BATCH);
    expect(pill).toMatchObject({ kind: "offline", attention: 2 });
  });
  it("says what needs attention before anything else while online", () => {
    const sending = { files_left: 3, bytes_done: 0, bytes_total: 9 };
    const pill = pillOf(statusOf({ link: link("online", { sending }), needs_attention: 2 }), NO_BATCH);
    expect(pill).toMatchObject({ kind: "attention", waiting: 2, attention: 0 });
  });
  it("counts the file under way within its batch", () => {
    const sending = { files_left: 38, bytes_done: 0, bytes_total: 9, left_ms: 120_000 };
    const pill = pillOf(statusOf({ link: link("online", { sending }) }), { total: 40, left: 38 });
    expect(pill).toMatchObject({ kind: "sending", file: { number: 3, of: 40 }, leftMs: 120_000 });
  });
  it("says that the hub turned the appliance away, whatever else there is", () => {
    expect(pillOf(statusOf({ link: link("revoked"), needs_attention: 2 }), NO_BATCH).kind).toBe("revoked");
  });
  it("asks while the appliance has not answered", () => {
    expect(pillOf(undefined, NO_BATCH).kind).toBe("asking");
  });
});

describe("a batch of files", () => {
  it("grows with files that join, shrinks with files that go, and ends when none is left", () => {
    let batch = nextBatch(NO_BATCH, 40);
    expect(batch).toEqual({ total: 40, left: 40 });
    batch = nextBatch(batch, 38);
    expect(batch).toEqual({ total: 40, left: 38 });
    batch = nextBatch(batch, 41);
    expect(batch).toEqual({ total: 43, left: 41 });
    expect(nextBatch(batch, 0)).toEqual(NO_BATCH);
  });
});
