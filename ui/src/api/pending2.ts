// Drivers, shots and the tray: the calls of these pages. What the OpenAPI file knows goes through `client`; routes whose Rust
// side is not on main yet have their types here and go to `client` when they land.
import { client, type Schemas, sendBytes, unwrap } from "./client";
import type { AttentionView } from "./desk";
import { call } from "./pending";

export type DriverRow = Schemas["DriverHitView"] & {
  /** The latest photo with a thumbnail on this appliance. */
  photo?: string | null;
  callsign?: string | null;
  licence_number?: string | null;
};

export interface DriverPage {
  rows: DriverRow[];
  next: string | null;
  total: number | null;
}

export interface Licence {
  country?: string | null;
  number: string;
  issued_on?: string | null;
  expires_on?: string | null;
}

export type Attention = AttentionView;

export type Driver = Schemas["DriverView"] & {
  licence?: Licence | null;
  birth_date?: string | null;
  hired_on?: string | null;
  photo_status?: string | null;
  photo?: string | null;
  read_only?: boolean;
  attention?: Attention[];
};

export interface HistoryEntry {
  at_ms: number;
  kind:
    | "created"
    | "edited"
    | "photo_captured"
    | "photo_assigned"
    | "photo_status"
    | "match_decided"
    | "withdrawn";
  by: string | null;
  state: Schemas["RecordState"];
  fields: { field: string; was: string | null; now: string | null }[];
  photo: string | null;
  reason: string | null;
}

export interface PhotoFace {
  photo: string;
  face: Schemas["BoxView"];
}

export interface Match {
  a: PhotoFace;
  b: PhotoFace;
  other_driver: { park: string; id: string; name: string } | null;
  likely: Schemas["Likely"] | null;
  decision: { id: string; verdict: string; by: string | null; at_ms: number } | null;
}

export interface Live {
  face: { x: number; y: number; w: number; h: number } | null;
  advice: string | null;
  level: "ok" | "warn" | "fail";
  advice_ru: string | null;
  advice_en: string | null;
  readiness: number;
}

export interface Shot {
  id: string;
  width: number;
  height: number;
  faces: Schemas["FaceGeometry"][];
  crop: Schemas["CropView"] | null;
  portrait_size: Schemas["Size"] | null;
  findings: Schemas["FindingView"][];
  nearest: Schemas["NearestView"] | null;
  other_driver: { park: string; id: string; name: string; likely: Schemas["Likely"] } | null;
  duplicate_of: string | null;
  expires_at_ms: number;
}

export interface WatchFile {
  name: string;
  state: "settling" | "waiting" | "taking" | "rejected";
  reason_ru?: string | null;
  reason_en?: string | null;
  size_bytes: number;
  seen_at_ms: number;
}

export type Watch = Schemas["WatchStatus"] & { files?: WatchFile[] };

/** What of a driver is changed: per field what was seen and what is wanted. */
export interface DriverEdit {
  fields?: Record<string, { was: unknown; now: unknown }>;
  add_phones?: string[];
  remove_phones?: string[];
}

function query(params: Record<string, string | number | undefined | null>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && value !== null && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return text === "" ? "" : `?${text}`;
}

const driverPath = (park: string, driver: string) =>
  `/api/v1/parks/${encodeURIComponent(park)}/drivers/${encodeURIComponent(driver)}`;

export const listDrivers = (
  filter: { text: string; park?: string | undefined },
  after: string | null,
  limit: number,
  signal?: AbortSignal,
) => call<DriverPage>("GET", `/api/v1/drivers${query({ ...filter, after, limit })}`, undefined, signal);

export const getDriver = (park: string, driver: string, signal?: AbortSignal) =>
  call<Driver>("GET", driverPath(park, driver), undefined, signal);

export const editDriver = (park: string, driver: string, edit: DriverEdit) =>
  call<Driver>("POST", driverPath(park, driver), edit);

export const createDriver = (driver: Schemas["NewDriver"]) =>
  unwrap(client.POST("/api/v1/drivers", { body: driver }));

export const driverHistory = (park: string, driver: string, signal?: AbortSignal) =>
  call<HistoryEntry[]>("GET", `${driverPath(park, driver)}/history`, undefined, signal);

export const driverMatches = (park: string, driver: string, signal?: AbortSignal) =>
  call<Match[]>("GET", `${driverPath(park, driver)}/matches`, undefined, signal);

export const decideMatch = (decide: Schemas["Decide"]) =>
  unwrap(client.POST("/api/v1/matches", { body: decide }));

export const photosOf = (driver: string, signal?: AbortSignal) =>
  unwrap(
    client.GET("/api/v1/photos", { params: { query: { driver, limit: 60 } }, ...(signal ? { signal } : {}) }),
  );

export const settle = (entry: string, decision: Schemas["Decision"]) =>
  unwrap(client.POST("/api/v1/needs-attention/{entry}", { params: { path: { entry } }, body: decision }));

export const withdrawPhoto = (photo: string) =>
  call<Schemas["Done"]>("POST", `/api/v1/photos/${encodeURIComponent(photo)}/withdraw`);

export const lookLive = (jpeg: ArrayBuffer, signal: AbortSignal) =>
  sendBytes<Live>("/api/v1/live", jpeg, signal);

export interface NewShot {
  park?: string | undefined;
  driver?: string | undefined;
  name: string;
  source: "camera" | "file";
  taken_at_ms: number;
}

export const newShot = (shot: NewShot, picture: ArrayBuffer, signal?: AbortSignal) =>
  sendBytes<Shot>(`/api/v1/shots${query({ ...shot })}`, picture, signal);

const shotPath = (shot: string) => `/api/v1/shots/${encodeURIComponent(shot)}`;

export const shotFile = (shot: string, file: "original" | "portrait" | "thumb") =>
  `${shotPath(shot)}/files/${file}`;

export const cropShot = (shot: string, crop: Schemas["CropView"]) =>
  call<Shot>("POST", `${shotPath(shot)}/crop`, crop);

export const dropShot = (shot: string) => call<Schemas["Done"]>("DELETE", shotPath(shot));

export const saveShot = (shot: string, of: { park: string; driver: string; reason?: string | undefined }) =>
  call<Schemas["Taken"]>("POST", `${shotPath(shot)}/save`, of);

export const listTray = (signal?: AbortSignal) =>
  unwrap(client.GET("/api/v1/unassigned", { ...(signal ? { signal } : {}) }));

export const trayOffers = (entry: string, signal?: AbortSignal) =>
  unwrap(
    client.GET("/api/v1/unassigned/{entry}/offers", {
      params: { path: { entry } },
      ...(signal ? { signal } : {}),
    }),
  );

export const trayFile = (entry: string, file: "original" | "portrait" | "thumb") =>
  `/api/v1/unassigned/${encodeURIComponent(entry)}/files/${file}`;

export const assignTray = (entry: string, assign: Schemas["Assign"]) =>
  unwrap(client.POST("/api/v1/unassigned/{entry}/assign", { params: { path: { entry } }, body: assign }));

export const discardTray = (entry: string) =>
  unwrap(client.POST("/api/v1/unassigned/{entry}/discard", { params: { path: { entry } } }));
