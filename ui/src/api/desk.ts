// Installation, session, people, settings and sync: what the frame around the pages calls. The calls by path wait for their
// Rust side (see pending.ts).
import { client, type Schemas, unwrap } from "./client";
import { call } from "./pending";

export type Lang = Schemas["Language"];
export type Theme = Schemas["Theme"];
export const ROLES = ["photo_staff", "operator", "senior", "moderator", "reviewer", "admin"] as const;
export type Role = (typeof ROLES)[number];

export type Installation = Schemas["Installation"];
export type Enrolled = Schemas["Enrolled"];
export type Settings = Schemas["Settings"];

export interface PersonName {
  id: string;
  name: string;
  role: Role;
}

export interface PersonView extends PersonName {
  park: string;
  login: string;
  state: Schemas["RecordState"];
}

export interface NewPerson {
  park: string;
  name: string;
  login: string;
  role: Role;
  pass_code: string;
}

export interface Session {
  required: boolean;
  person: PersonView | null;
  people: PersonName[];
  until_ms: number | null;
}

export interface Subject {
  kind: "driver" | "photo" | "person" | "match";
  id: string;
  park: string;
  name: string | null;
}

export interface WaitingView {
  id: string;
  kind: string;
  subject: Subject | null;
  at_ms: number;
  state: "saved" | "sent";
  by: string | null;
}

export interface FileTransfer {
  photo: string;
  driver_name: string | null;
  class: "thumb" | "portrait" | "original";
  direction: "up" | "down";
  size_bytes: number;
  done_bytes: number;
  state: "waiting" | "moving" | "held" | "parked";
}

export interface Hours {
  /** 1 = Monday ... 7 = Sunday. */
  days: number[];
  from: string;
  to: string;
}

export interface SyncPolicy {
  mode: "unmetered" | "metered";
  /** Empty = always. */
  schedule: Hours[];
}

export type Transfers = Schemas["Transfers"] & { rate_bytes_s?: number | null; left_ms?: number | null };
export type LinkStatus = Omit<Schemas["LinkStatus"], "sending" | "fetching"> & {
  sending?: Transfers | null;
  fetching?: Transfers | null;
};

export interface SyncView {
  link: LinkStatus;
  policy: SyncPolicy;
  paused_until_ms: number | null;
  waiting: WaitingView[];
  waiting_total: number;
  files: FileTransfer[];
  held: { files: number; bytes: number };
}

export interface DayPoint {
  at_ms: number;
  waiting: number;
  sent: number;
  received: number;
  bytes_up: number;
  bytes_down: number;
  problems: number;
}

export interface FieldConflict {
  field: string;
  wanted: unknown;
  stands: unknown;
}

export type AttentionView = Omit<Schemas["AttentionView"], "conflicts" | "input"> & {
  /** The command's arguments, of any kind. */
  input: unknown;
  conflicts: FieldConflict[];
  subject?: Subject | null;
  reason_ru?: string;
  reason_en?: string;
};

const V1 = "/api/v1";

export const desk = {
  installation: () => unwrap(client.GET("/api/v1/installation")),
  enrol: (body: Schemas["Enrol"]) => unwrap(client.POST("/api/v1/installation/enrol", { body })),
  recover: (code: string) => unwrap(client.POST("/api/v1/installation/recover", { body: { code } })),
  retryKey: () => unwrap(client.POST("/api/v1/installation/retry")),
  newRecoveryCode: () => unwrap(client.POST("/api/v1/recovery-code")),
  session: () => call<Session>("GET", `${V1}/session`),
  signIn: (person: string, pass_code: string) =>
    call<Session>("POST", `${V1}/session`, { person, pass_code }),
  signOut: () => call<Session>("DELETE", `${V1}/session`),
  people: () => call<PersonView[]>("GET", `${V1}/people`),
  addPerson: (person: NewPerson) => call<PersonView>("POST", `${V1}/people`, person),
  setPassCode: (person: string, pass_code: string) =>
    call<PersonView>("POST", `${V1}/people/${encodeURIComponent(person)}/pass-code`, { pass_code }),
  settings: () => unwrap(client.GET("/api/v1/settings")),
  saveSettings: (body: Partial<Settings>) => unwrap(client.PUT("/api/v1/settings", { body })),
  sync: () => call<SyncView>("GET", `${V1}/sync`),
  savePolicy: (policy: SyncPolicy) => call<SyncPolicy>("PUT", `${V1}/sync/policy`, policy),
  day: () => call<DayPoint[]>("GET", `${V1}/sync/day`),
  sendNow: (photo: string) =>
    call<Schemas["Done"]>("POST", `${V1}/photos/${encodeURIComponent(photo)}/send-now`),
};
