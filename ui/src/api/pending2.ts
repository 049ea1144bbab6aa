// Drivers, shots and the tray: the calls of these pages, typed by the OpenAPI file.
import { client, type Schemas, sendBytes, unwrap } from "./client";
import type { AttentionView } from "./desk";
import { call } from "./pending";

export type DriverRow = Schemas["DriverHitView"];
export type DriverPage = Schemas["DriverPage"];
export type Licence = Schemas["LicenceView"];
export type Attention = AttentionView;
export type Driver = Omit<Schemas["DriverView"], "attention"> & { attention: Attention[] };
export type HistoryEntry = Schemas["HistoryEntry"];
export type PhotoFace = Schemas["PhotoFace"];
export type Match = Schemas["MatchView"];
export type Live = Schemas["LiveView"];
export type Shot = Schemas["ShotView"];
export type Watch = Schemas["WatchStatus"];

/** What of a driver is changed: per field what was seen and what is wanted. */
export interface DriverEdit {
  fields?: Record<string, { was: unknown; now: unknown }>;
  add_phones?: string[];
  remove_phones?: string[];
}

const stoppedBy = (signal?: AbortSignal) => (signal ? { signal } : {});
const V1 = "/api/v1";

export const listDrivers = (
  filter: { text: string; park?: string | undefined },
  after: string | null,
  limit: number,
  signal?: AbortSignal,
) => {
  const query = {
    limit,
    ...(filter.text ? { text: filter.text } : {}),
    ...(filter.park ? { park: filter.park } : {}),
    ...(after ? { after } : {}),
  };
  return unwrap(client.GET(`${V1}/drivers`, { params: { query }, ...stoppedBy(signal) }));
};

export const getDriver = (park: string, driver: string, signal?: AbortSignal): Promise<Driver> =>
  unwrap(
    client.GET(`${V1}/parks/{park}/drivers/{driver}`, {
      params: { path: { park, driver } },
      ...stoppedBy(signal),
    }),
  );

export const editDriver = (park: string, driver: string, edit: DriverEdit) => {
  // What a field holds depends on the field: the OpenAPI file leaves it open.
  const body = edit as Schemas["EditDriver"];
  return unwrap(
    client.POST(`${V1}/parks/{park}/drivers/{driver}`, { params: { path: { park, driver } }, body }),
  );
};

export const createDriver = (driver: Schemas["NewDriver"]) =>
  unwrap(client.POST(`${V1}/drivers`, { body: driver }));

export const driverHistory = (park: string, driver: string, signal?: AbortSignal) =>
  unwrap(
    client.GET(`${V1}/parks/{park}/drivers/{driver}/history`, {
      params: { path: { park, driver } },
      ...stoppedBy(signal),
    }),
  );

export const driverMatches = (park: string, driver: string, signal?: AbortSignal) =>
  unwrap(
    client.GET(`${V1}/parks/{park}/drivers/{driver}/matches`, {
      params: { path: { park, driver } },
      ...stoppedBy(signal),
    }),
  );

export const decideMatch = (decide: Schemas["Decide"]) =>
  unwrap(client.POST(`${V1}/matches`, { body: decide }));

export const photosOf = (driver: string, signal?: AbortSignal) =>
  unwrap(client.GET(`${V1}/photos`, { params: { query: { driver, limit: 60 } }, ...stoppedBy(signal) }));

export const settle = (entry: string, decision: Schemas["Decision"]) =>
  unwrap(client.POST(`${V1}/needs-attention/{entry}`, { params: { path: { entry } }, body: decision }));

// Not in the OpenAPI file yet.
export const withdrawPhoto = (photo: string) =>
  call<Schemas["Done"]>("POST", `${V1}/photos/${encodeURIComponent(photo)}/withdraw`);

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
