// Pictures: a driver's photos, the shot that is not saved yet, and the tray of those without a driver.
import { client, type Schemas, sendBytes, stoppedBy, unwrap, V1 } from "./client";

export type Live = Schemas["LiveView"];
export type Shot = Schemas["ShotView"];
export type Watch = Schemas["WatchStatus"];

export const photosOf = (driver: string, signal?: AbortSignal) =>
  unwrap(client.GET(`${V1}/photos`, { params: { query: { driver, limit: 60 } }, ...stoppedBy(signal) }));

export const withdrawPhoto = (photo: string) =>
  unwrap(client.POST(`${V1}/photos/{photo}/withdraw`, { params: { path: { photo } } }));

// Pictures are sent as bytes, which the generated client does not do.
export const lookLive = (jpeg: ArrayBuffer, signal: AbortSignal) =>
  sendBytes<Live>(`${V1}/live`, jpeg, signal);

export interface NewShot {
  park?: string;
  driver?: string;
  name: string;
  source: "camera" | "file";
  taken_at_ms: number;
}

export const newShot = ({ taken_at_ms, ...shot }: NewShot, picture: ArrayBuffer, signal?: AbortSignal) => {
  const query = new URLSearchParams({ ...shot, taken_at_ms: String(taken_at_ms) });
  return sendBytes<Shot>(`${V1}/shots?${query}`, picture, signal);
};

export const shotFile = (shot: string, file: "original" | "portrait" | "thumb") =>
  `${V1}/shots/${encodeURIComponent(shot)}/files/${file}`;

export const cropShot = (shot: string, crop: Schemas["CropView"]) =>
  unwrap(client.POST(`${V1}/shots/{shot}/crop`, { params: { path: { shot } }, body: crop }));

export const dropShot = (shot: string) =>
  unwrap(client.DELETE(`${V1}/shots/{shot}`, { params: { path: { shot } } }));

export const saveShot = (shot: string, of: Schemas["Save"]) =>
  unwrap(client.POST(`${V1}/shots/{shot}/save`, { params: { path: { shot } }, body: of }));

export const listTray = (signal?: AbortSignal) => unwrap(client.GET(`${V1}/unassigned`, stoppedBy(signal)));

export const trayOffers = (entry: string, signal?: AbortSignal) =>
  unwrap(
    client.GET(`${V1}/unassigned/{entry}/offers`, { params: { path: { entry } }, ...stoppedBy(signal) }),
  );

export const trayFile = (entry: string, file: "original" | "portrait" | "thumb") =>
  `${V1}/unassigned/${encodeURIComponent(entry)}/files/${file}`;

export const assignTray = (entry: string, assign: Schemas["Assign"]) =>
  unwrap(client.POST(`${V1}/unassigned/{entry}/assign`, { params: { path: { entry } }, body: assign }));

export const discardTray = (entry: string) =>
  unwrap(client.POST(`${V1}/unassigned/{entry}/discard`, { params: { path: { entry } } }));

/** Takes an assignment back: the picture waits in the tray again. */
export const returnToTray = (photo: string) =>
  unwrap(client.POST(`${V1}/photos/{photo}/return-to-tray`, { params: { path: { photo } } }));
