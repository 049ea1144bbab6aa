// The portrait's rectangle on the original: 3:4, turned about its centre, never leaving the picture.
import type { Schemas } from "../api/client";

export type Crop = Schemas["CropView"];

export interface Picture {
  width: number;
  height: number;
}

export type Corner = "nw" | "ne" | "sw" | "se";

const MIN_THIRDS = 40;
/** Hundredths of a degree. */
const MAX_TURN = 4_500;

const radians = (turn: number) => (turn / 100) * (Math.PI / 180);

/** Half of the space that the turned rectangle takes, across and down. */
function reach(w: number, h: number, turn: number): [number, number] {
  const [sin, cos] = [Math.abs(Math.sin(radians(turn))), Math.abs(Math.cos(radians(turn)))];
  return [(w * cos + h * sin) / 2, (w * sin + h * cos) / 2];
}

/** The nearest rectangle that lies inside the picture: 3:4 in whole pixels, shifted before it is shrunk. */
export function fitted(crop: Crop, picture: Picture): Crop {
  const turn = Math.max(-MAX_TURN, Math.min(MAX_TURN, Math.round(crop.turn)));
  const [across, down] = reach(3, 4, turn);
  const most = Math.floor(Math.min(picture.width / (2 * across), picture.height / (2 * down)));
  const thirds = Math.max(Math.min(MIN_THIRDS, most), Math.min(most, Math.round(crop.w / 3)));
  const [w, h] = [thirds * 3, thirds * 4];
  const [rx, ry] = reach(w, h, turn);
  const place = (centre: number, side: number, half: number, limit: number) => {
    const [low, high] = [Math.ceil(half - side / 2 - 1e-9), Math.floor(limit - half - side / 2 + 1e-9)];
    return Math.max(low, Math.min(high, Math.round(centre - side / 2)));
  };
  return {
    x: place(crop.x + crop.w / 2, w, rx, picture.width),
    y: place(crop.y + crop.h / 2, h, ry, picture.height),
    w,
    h,
    turn,
  };
}

/** A rectangle for a picture in which no face was found: as large as it goes, in the middle. */
export function middle(picture: Picture): Crop {
  const h = picture.height;
  const w = (h * 3) / 4;
  return fitted({ x: (picture.width - w) / 2, y: 0, w, h, turn: 0 }, picture);
}

export const moved = (crop: Crop, dx: number, dy: number, picture: Picture): Crop =>
  fitted({ ...crop, x: crop.x + dx, y: crop.y + dy }, picture);

/** Larger or smaller about its centre. */
export function grown(crop: Crop, factor: number, picture: Picture): Crop {
  // At least one pixel of thirds, so that small steps are not rounded away.
  const thirds = crop.w / 3;
  const wanted = Math.round(thirds * factor);
  const w = 3 * (wanted === thirds ? thirds + Math.sign(factor - 1) : wanted);
  const h = (w / 3) * 4;
  return fitted({ ...crop, x: crop.x + (crop.w - w) / 2, y: crop.y + (crop.h - h) / 2, w, h }, picture);
}

export const turned = (crop: Crop, by: number, picture: Picture): Crop =>
  fitted({ ...crop, turn: crop.turn + by }, picture);

/** Pulls a corner to a point of the picture; the opposite corner stays where it is. */
export function pulled(crop: Crop, corner: Corner, to: { x: number; y: number }, picture: Picture): Crop {
  const [sin, cos] = [Math.sin(radians(crop.turn)), Math.cos(radians(crop.turn))];
  const [sx, sy] = [corner.endsWith("e") ? 1 : -1, corner.startsWith("s") ? 1 : -1];
  const [cx, cy] = [crop.x + crop.w / 2, crop.y + crop.h / 2];
  // The corner that stays, in the picture.
  const [ox, oy] = [(-sx * crop.w) / 2, (-sy * crop.h) / 2];
  const [fx, fy] = [cx + cos * ox - sin * oy, cy + sin * ox + cos * oy];
  const [dx, dy] = [to.x - fx, to.y - fy];
  // How far along the rectangle's own sides the pointer is.
  const [across, down] = [(cos * dx + sin * dy) * sx, (-sin * dx + cos * dy) * sy];
  const w = Math.max(3 * MIN_THIRDS, Math.max(across, (down * 3) / 4));
  const h = (w / 3) * 4;
  const [hx, hy] = [(sx * w) / 2, (sy * h) / 2];
  const [nx, ny] = [fx + cos * hx - sin * hy, fy + sin * hx + cos * hy];
  return fitted({ x: nx - w / 2, y: ny - h / 2, w, h, turn: crop.turn }, picture);
}

/** The four corners in the picture: nw, ne, se, sw. */
export function corners(crop: Crop): [number, number][] {
  const [sin, cos] = [Math.sin(radians(crop.turn)), Math.cos(radians(crop.turn))];
  const [cx, cy] = [crop.x + crop.w / 2, crop.y + crop.h / 2];
  return [
    [-1, -1],
    [1, -1],
    [1, 1],
    [-1, 1],
  ].map(([sx = 0, sy = 0]) => {
    const [dx, dy] = [(sx * crop.w) / 2, (sy * crop.h) / 2];
    return [cx + cos * dx - sin * dy, cy + sin * dx + cos * dy];
  });
}

const MOVE_STEP = 0.01;
const SIZE_STEP = 1.03;
const TURN_STEP = 50;

/** What a key does to the rectangle; undefined = it is none of its keys. Shift takes five steps at once. */
export function keyed(crop: Crop, code: string, isShift: boolean, picture: Picture): Crop | undefined {
  const times = isShift ? 5 : 1;
  const step = Math.max(1, Math.round(picture.height * MOVE_STEP)) * times;
  switch (code) {
    case "ArrowLeft":
      return moved(crop, -step, 0, picture);
    case "ArrowRight":
      return moved(crop, step, 0, picture);
    case "ArrowUp":
      return moved(crop, 0, -step, picture);
    case "ArrowDown":
      return moved(crop, 0, step, picture);
    case "Equal":
    case "NumpadAdd":
      return grown(crop, SIZE_STEP ** times, picture);
    case "Minus":
    case "NumpadSubtract":
      return grown(crop, 1 / SIZE_STEP ** times, picture);
    case "BracketLeft":
      return turned(crop, -TURN_STEP * times, picture);
    case "BracketRight":
      return turned(crop, TURN_STEP * times, picture);
    default:
      return undefined;
  }
}

/** The rectangle in words' figures: per cent of the picture, degrees. */
export function spoken(
  crop: Crop,
  picture: Picture,
): { left: number; top: number; size: number; turn: number } {
  return {
    left: Math.round((crop.x / picture.width) * 100),
    top: Math.round((crop.y / picture.height) * 100),
    size: Math.round((crop.h / picture.height) * 100),
    turn: crop.turn / 100,
  };
}

export interface View {
  x: number;
  y: number;
  w: number;
  h: number;
}

const AROUND = 1.35;

/** The part of the picture that is worth looking at: the rectangle with some room, inside the picture where that is possible. */
export function viewOf(crop: Crop, picture: Picture): View {
  const { x, y, w, h } = boundsOf(crop);
  const [wide, high] = [Math.min(picture.width, w * AROUND), Math.min(picture.height, h * AROUND)];
  const place = (middle: number, side: number, limit: number) =>
    Math.max(0, Math.min(limit - side, middle - side / 2));
  return {
    x: place(x + w / 2, wide, picture.width),
    y: place(y + h / 2, high, picture.height),
    w: wide,
    h: high,
  };
}

/** The same view as long as the rectangle is in it and not tiny, else a new one: nothing jumps while it is adjusted. */
export function keptView(view: View, crop: Crop, picture: Picture): View {
  const { x, y, w, h } = boundsOf(crop);
  const isIn =
    x >= view.x - 1 && y >= view.y - 1 && x + w <= view.x + view.w + 1 && y + h <= view.y + view.h + 1;
  return isIn && h * 2.5 > view.h ? view : viewOf(crop, picture);
}

function boundsOf(crop: Crop): View {
  const points = corners(crop);
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, w: Math.max(...xs) - x, h: Math.max(...ys) - y };
}
