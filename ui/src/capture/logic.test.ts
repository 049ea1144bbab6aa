import { describe, expect, it } from "vitest";
import type { Live } from "../api/pictures";
import {
  type Crop,
  corners,
  fitted,
  grown,
  keptView,
  keyed,
  middle,
  moved,
  pulled,
  spoken,
  turned,
  viewOf,
} from "./crop";
import { ARMED, look, progress, type Shutter } from "./shutter";

const PICTURE = { width: 1280, height: 720 };
const crop: Crop = { x: 500, y: 200, w: 300, h: 400, turn: 0 };

function lies_inside(one: Crop): boolean {
  return corners(one).every(
    ([x, y]) => x >= -1e-6 && y >= -1e-6 && x <= PICTURE.width + 1e-6 && y <= PICTURE.height + 1e-6,
  );
}

describe("the portrait's rectangle", () => {
  it("stays 3:4 in whole pixels and inside the picture, whatever is wanted", () => {
    for (const turn of [0, 350, -1200, 4500]) {
      for (const w of [3, 301, 5000]) {
        for (const x of [-4000, 0, 777, 4000]) {
          const got = fitted({ x, y: x / 2, w, h: w * 2, turn }, PICTURE);
          expect(got.w * 4).toBe(got.h * 3);
          expect(Number.isInteger(got.x) && Number.isInteger(got.y)).toBe(true);
          expect(lies_inside(got)).toBe(true);
        }
      }
    }
  });
  it("is shifted before it is shrunk", () => {
    expect(moved(crop, 10_000, 0, PICTURE)).toEqual({ ...crop, x: 980 });
  });
  it("grows about its centre, by at least a step, and stops at the picture", () => {
    const larger = grown(crop, 1.001, PICTURE);
    expect(larger.w).toBe(303);
    expect(larger.x + larger.w / 2).toBeCloseTo(650, -0.5);
    expect(grown(crop, 100, PICTURE).h).toBe(720);
  });
  it("keeps the opposite corner while one is pulled", () => {
    const got = pulled(crop, "se", { x: 860, y: 640 }, PICTURE);
    expect([got.x, got.y]).toEqual([500, 200]);
    expect(got.w).toBe(360);
    const other = pulled(crop, "nw", { x: 560, y: 280 }, PICTURE);
    expect([other.x + other.w, other.y + other.h]).toEqual([800, 600]);
  });
  it("keeps the opposite corner of a turned one", () => {
    const leaning = { ...crop, turn: 1000 };
    const still = corners(leaning)[0];
    const [x, y] = corners(leaning)[2] ?? [0, 0];
    const got = corners(pulled(leaning, "se", { x: x - 30, y: y - 30 }, PICTURE))[0];
    expect(got?.[0]).toBeCloseTo(still?.[0] ?? 0, -0.5);
    expect(got?.[1]).toBeCloseTo(still?.[1] ?? 0, -0.5);
  });
  it("is moved, sized and turned by keys; Shift goes further", () => {
    expect(keyed(crop, "ArrowLeft", false, PICTURE)?.x).toBe(493);
    expect(keyed(crop, "ArrowLeft", true, PICTURE)?.x).toBe(465);
    expect(keyed(crop, "Equal", false, PICTURE)?.w).toBe(309);
    expect(keyed(crop, "BracketRight", false, PICTURE)?.turn).toBe(50);
    expect(turned(crop, 100_000, PICTURE).turn).toBe(4500);
    expect(keyed(crop, "KeyQ", false, PICTURE)).toBeUndefined();
  });
  it("is spoken in per cent and degrees", () => {
    expect(spoken({ ...crop, turn: 150 }, PICTURE)).toEqual({ left: 39, top: 28, size: 56, turn: 1.5 });
  });
  it("is looked at with some room around it, and the view stays while it is adjusted", () => {
    const view = viewOf(crop, PICTURE);
    expect(view).toEqual({ x: 447.5, y: 130, w: 405, h: 540 });
    expect(keptView(view, moved(crop, 20, 0, PICTURE), PICTURE)).toBe(view);
    const far = moved(crop, 400, 0, PICTURE);
    const next = keptView(view, far, PICTURE);
    expect(next.x + next.w).toBeGreaterThanOrEqual(far.x + far.w);
    expect(next.x + next.w).toBeLessThanOrEqual(PICTURE.width);
  });
  it("takes the middle where there is no face", () => {
    expect(middle(PICTURE)).toEqual({ x: 370, y: 0, w: 540, h: 720, turn: 0 });
  });
});

describe("the shutter", () => {
  const live = (readiness: number, x = 0.4, level: Live["level"] = "ok"): Live => ({
    face: { x, y: 0.3, w: 0.2, h: 0.3 },
    advice: null,
    level,
    advice_ru: "",
    advice_en: "",
    readiness,
  });
  const run = (looks: [Live, number][]) => {
    let shutter: Shutter = ARMED;
    const fired: number[] = [];
    for (const [one, at] of looks) {
      const next = look(shutter, one, at);
      shutter = next.shutter;
      if (next.fires) fired.push(at);
    }
    return { fired, shutter };
  };
  it("fires once after a second of readiness", () => {
    expect(
      run([
        [live(90), 0],
        [live(95), 500],
        [live(95), 1000],
        [live(95), 1500],
        [live(95), 3000],
      ]).fired,
    ).toEqual([1000]);
  });
  it("begins again when readiness is lost", () => {
    expect(
      run([
        [live(90), 0],
        [live(40), 500],
        [live(90), 600],
        [live(90), 1100],
      ]).fired,
    ).toEqual([]);
  });
  it("is stopped by moving", () => {
    expect(
      run([
        [live(90), 0],
        [live(90, 0.6), 900],
        [live(90, 0.6), 1100],
      ]).fired,
    ).toEqual([]);
  });
  it("never fires at a failed check or without a face", () => {
    expect(
      run([
        [live(90, 0.4, "fail"), 0],
        [live(90, 0.4, "fail"), 2000],
      ]).fired,
    ).toEqual([]);
    const nobody = { ...live(90), face: null };
    expect(
      run([
        [nobody, 0],
        [nobody, 2000],
      ]).fired,
    ).toEqual([]);
  });
  it("stays stopped until it is armed again", () => {
    expect(look({ is: "stopped" }, live(100), 5000)).toEqual({ shutter: { is: "stopped" }, fires: false });
  });
  it("counts down visibly", () => {
    const { shutter } = run([[live(90), 0]]);
    expect(progress(shutter, 250)).toBe(0.25);
    expect(progress(ARMED, 250)).toBe(0);
  });
});
