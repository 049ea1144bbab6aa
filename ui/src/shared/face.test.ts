import { describe, expect, it } from "vitest";
import { eyesOf, faceInPortrait, inCrop, placeOnEyes } from "./face";

const face = (x: number, w: number, marks: number[][]) => ({ area: { x, y: 0, w, h: w }, marks, points: [] });

describe("eyesOf", () => {
  it("takes the largest face and puts the image-left eye first", () => {
    const small = face(0, 10, [
      [1, 1],
      [5, 1],
    ]);
    const large = face(50, 100, [
      [90, 40],
      [60, 42],
    ]);
    expect(eyesOf([small, large])).toEqual([
      [60, 42],
      [90, 40],
    ]);
  });
  it("falls back to the corners of the eyes, and to nothing without a face", () => {
    const corners = {
      ...face(0, 10, []),
      points: [
        [0, 0],
        [2, 0],
        [8, 2],
        [10, 2],
        [5, 5],
      ],
    };
    expect(eyesOf([corners])).toEqual([
      [1, 0],
      [9, 2],
    ]);
    expect(eyesOf([])).toBeUndefined();
  });
});

describe("inCrop", () => {
  it("maps the middle to the middle, whatever the turn", () => {
    const crop = { x: 100, y: 50, w: 300, h: 400, turn: 700 };
    const [x, y] = inCrop([250, 250], crop);
    expect([x, y]).toEqual([0.5, 0.5]);
  });
  it("turns clockwise: what lies below the middle of a quarter-turned crop is its right side", () => {
    const [x, y] = inCrop([250, 300], { x: 100, y: 50, w: 300, h: 400, turn: 9000 });
    expect(x).toBeCloseTo(0.5 + 50 / 300, 6);
    expect(y).toBeCloseTo(0.5, 6);
  });
});

describe("placeOnEyes", () => {
  it("puts the eyes of any picture at the same two places", () => {
    for (const eyes of [
      [
        [100, 200],
        [180, 200],
      ],
      [
        [400, 300],
        [430, 330],
      ],
    ] as const) {
      const [width, height] = [640, 480];
      const placed = placeOnEyes({ width, height, eyes });
      expect(placed).toBeDefined();
      if (!placed) return;
      const scale = placed.width / width;
      const turn = (placed.degrees * Math.PI) / 180;
      const at = ([x, y]: readonly [number, number]) => [
        placed.x * placed.width + scale * (Math.cos(turn) * x - Math.sin(turn) * y),
        placed.y * (height * scale) + scale * (Math.sin(turn) * x + Math.cos(turn) * y),
      ];
      expect(at(eyes[0])[0]).toBeCloseTo(0.375, 6);
      expect(at(eyes[0])[1]).toBeCloseTo(0.56, 6);
      expect(at(eyes[1])[0]).toBeCloseTo(0.625, 6);
      expect(at(eyes[1])[1]).toBeCloseTo(0.56, 6);
    }
  });
  it("leaves a picture without eyes alone", () => {
    expect(placeOnEyes({ width: 3, height: 4, eyes: undefined })).toBeUndefined();
  });
});

describe("faceInPortrait", () => {
  it("finds the eyes of the original in the portrait", () => {
    const photo = {
      faces: [
        face(0, 100, [
          [375, 420],
          [625, 420],
        ]),
      ],
      crop: { x: 0, y: 0, w: 1000, h: 1333, turn: 0 },
      portrait_size: { width: 300, height: 400 },
    };
    const { eyes } = faceInPortrait(photo);
    expect(eyes?.[0][0]).toBeCloseTo(112.5, 3);
    expect(eyes?.[1][0]).toBeCloseTo(187.5, 3);
  });
});
