import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Deferred } from "./deferred";

describe("deferred", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("is done after its time and hidden until then", async () => {
    const deferred = new Deferred();
    const act = vi.fn(async () => undefined);
    deferred.add("a", 10_000, act);
    await vi.advanceTimersByTimeAsync(9_999);
    expect(act).not.toHaveBeenCalled();
    expect(deferred.all()).toEqual(["a"]);
    await vi.advanceTimersByTimeAsync(1);
    expect(act).toHaveBeenCalledOnce();
    expect(deferred.all()).toEqual([]);
  });
  it("is never done when it was taken back", async () => {
    const deferred = new Deferred();
    const act = vi.fn(async () => undefined);
    deferred.add("a", 10_000, act);
    expect(deferred.back("a")).toBe(true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(act).not.toHaveBeenCalled();
    expect(deferred.back("a")).toBe(false);
  });
  it("shows again what could not be done", async () => {
    const deferred = new Deferred();
    const told = vi.fn();
    deferred.subscribe(told);
    deferred.add("a", 10, async () => {
      throw new Error("no");
    });
    await vi.advanceTimersByTimeAsync(10);
    expect(deferred.all()).toEqual([]);
    expect(told).toHaveBeenCalledTimes(2);
  });
});
