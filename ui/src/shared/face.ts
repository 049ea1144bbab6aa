// Where a face lies in a picture, and how to show two pictures so that the eyes stand at the same places.
import type { Schemas } from "../api/client";

export type Point = readonly [number, number];
export type Eyes = readonly [Point, Point];

/** A picture of that size with the eyes (image-left first) in its pixels, if a face was found. */
export interface FaceIn {
  width: number;
  height: number;
  eyes: Eyes | undefined;
}

// The portrait's own rule (docs/architecture.md): the eyes' centre at (0.50 W, 0.42 H), their distance 0.25 W.
const EYES_X = 0.5;
const EYES_Y = 0.42 * (4 / 3);
const EYE_DISTANCE = 0.25;

/** The eyes of the largest face. */
export function eyesOf(faces: readonly Schemas["FaceGeometry"][]): Eyes | undefined {
  const face = largest(faces);
  const [a, b] = (face?.marks.length ?? 0) >= 2 ? (face?.marks ?? []) : middles(face?.points ?? []);
  const [ax, ay, bx, by] = [a?.[0], a?.[1], b?.[0], b?.[1]];
  if (ax === undefined || ay === undefined || bx === undefined || by === undefined) return undefined;
  if (Math.hypot(bx - ax, by - ay) < 1) return undefined;
  return ax <= bx
    ? [
        [ax, ay],
        [bx, by],
      ]
    : [
        [bx, by],
        [ax, ay],
      ];
}

export function largest(faces: readonly Schemas["FaceGeometry"][]): Schemas["FaceGeometry"] | undefined {
  return [...faces].sort((one, other) => other.area.w * other.area.h - one.area.w * one.area.h)[0];
}

/** Eye corners in pairs -> the middles of the eyes. */
function middles(points: readonly number[][]): number[][] {
  const [a, b, c, d] = points;
  if (!a || !b || !c || !d) return [];
  const middle = (one: number[], other: number[]) => [
    ((one[0] ?? 0) + (other[0] ?? 0)) / 2,
    ((one[1] ?? 0) + (other[1] ?? 0)) / 2,
  ];
  return [middle(a, b), middle(c, d)];
}

/** A point of the original as a place in its portrait (0..1 across and down). */
export function inCrop([x, y]: Point, crop: Schemas["CropView"]): Point {
  const turn = (crop.turn / 100) * (Math.PI / 180);
  const [sin, cos] = [Math.sin(turn), Math.cos(turn)];
  const [dx, dy] = [x - (crop.x + crop.w / 2), y - (crop.y + crop.h / 2)];
  return [(cos * dx + sin * dy) / crop.w + 0.5, (-sin * dx + cos * dy) / crop.h + 0.5];
}

/** The face in a photo's portrait; by the portrait's own rule where the points are not known. */
export function faceInPortrait(
  photo: Pick<Schemas["PhotoView"], "faces" | "crop" | "portrait_size">,
): FaceIn {
  const [width, height] = [photo.portrait_size?.width ?? 300, photo.portrait_size?.height ?? 400];
  const crop = photo.crop;
  const eyes = crop ? eyesOf(photo.faces) : undefined;
  if (!crop || !eyes) return { width, height, eyes: undefined };
  const place = (point: Point): Point => {
    const [x, y] = inCrop(point, crop);
    return [x * width, y * height];
  };
  return { width, height, eyes: [place(eyes[0]), place(eyes[1])] };
}

export interface Placement {
  /** Width of the picture in widths of the frame. */
  width: number;
  /** Its upper left corner before the turn, in widths of the picture and heights of the picture. */
  x: number;
  y: number;
  degrees: number;
}

/** How a picture is laid into a 3:4 frame so that its eyes stand level at their places; undefined = no eyes known. */
export function placeOnEyes({ width, height, eyes }: FaceIn): Placement | undefined {
  if (!eyes) return undefined;
  const [[ax, ay], [bx, by]] = eyes;
  const distance = Math.hypot(bx - ax, by - ay);
  if (distance < 1) return undefined;
  const scale = EYE_DISTANCE / distance;
  const angle = -Math.atan2(by - ay, bx - ax);
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
  const [mx, my] = [((ax + bx) / 2) * scale, ((ay + by) / 2) * scale];
  const [x, y] = [EYES_X - (cos * mx - sin * my), EYES_Y - (sin * mx + cos * my)];
  return {
    width: width * scale,
    x: x / (width * scale),
    y: y / (height * scale),
    degrees: (angle * 180) / Math.PI,
  };
}
