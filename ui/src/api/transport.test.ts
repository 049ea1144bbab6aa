import { describe, expect, it } from "vitest";
import { readFrame, writeFrame } from "./transport";

describe("the window's frame", () => {
  it("comes back as it was written, Russian text and bytes alike", async () => {
    const frame = writeFrame({ status: 409, content_type: "application/json" }, new Uint8Array([1, 0, 255]));
    const answer = readFrame(frame.buffer as ArrayBuffer);
    expect(answer.status).toBe(409);
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect([...new Uint8Array(await answer.arrayBuffer())]).toEqual([1, 0, 255]);
  });
  it("begins with the length of its head, most significant byte first", () => {
    const frame = writeFrame({ path: "/х" }, new Uint8Array());
    const head = new TextEncoder().encode('{"path":"/х"}');
    expect([...frame.slice(0, 4)]).toEqual([0, 0, 0, head.length]);
    expect(frame.length).toBe(4 + head.length);
  });
  it("has no body where there is none", async () => {
    const frame = writeFrame({ status: 204, content_type: null }, new Uint8Array());
    const answer = readFrame(frame.buffer as ArrayBuffer);
    expect(answer.status).toBe(204);
    expect(answer.body).toBeNull();
  });
});
