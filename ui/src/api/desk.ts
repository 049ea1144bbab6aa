// Installation, session, people, settings and sync: what the frame around the pages and the Sync page call.
import { client, type Schemas, unwrap } from "./client";

export type Lang = Schemas["Language"];
export type Theme = Schemas["Theme"];
export type Installation = Schemas["Installation"];
export type Enrolled = Schemas["Enrolled"];
export type Settings = Schemas["Settings"];
export type Session = Schemas["Session"];
export type PersonChoice = Schemas["PersonChoice"];
export type PersonView = Schemas["PersonView"];
export type NewPerson = Schemas["NewPerson"];
export type SyncView = Schemas["SyncView"];
export type SyncPolicy = Schemas["SyncPolicy"];
export type Hours = Schemas["Hours"];
export type WaitingView = Schemas["WaitingView"];
export type FileTransfer = Schemas["FileTransfer"];
export type DayPoint = Schemas["DayPoint"];

/** The arguments of a command are of any kind; the generated type says they are none. */
export type AttentionView = Omit<Schemas["AttentionView"], "input"> & { input?: unknown };

/** The roles that a person can be given, the least first. */
export const ROLES = ["photo_staff", "operator", "senior", "moderator", "reviewer", "admin"] as const;
export type Role = (typeof ROLES)[number];

export const desk = {
  installation: () => unwrap(client.GET("/api/v1/installation")),
  enrol: (body: Schemas["Enrol"]) => unwrap(client.POST("/api/v1/installation/enrol", { body })),
  recover: (code: string) => unwrap(client.POST("/api/v1/installation/recover", { body: { code } })),
  retryKey: () => unwrap(client.POST("/api/v1/installation/retry")),
  newRecoveryCode: () => unwrap(client.POST("/api/v1/recovery-code")),
  session: () => unwrap(client.GET("/api/v1/session")),
  signIn: (person: string, pass_code: string) =>
    unwrap(client.POST("/api/v1/session", { body: { person, pass_code } })),
  signOut: () => unwrap(client.DELETE("/api/v1/session")),
  people: () => unwrap(client.GET("/api/v1/people")),
  addPerson: (body: NewPerson) => unwrap(client.POST("/api/v1/people", { body })),
  setPassCode: (person: string, pass_code: string) =>
    unwrap(
      client.POST("/api/v1/people/{person}/pass-code", { params: { path: { person } }, body: { pass_code } }),
    ),
  removePerson: (person: string) =>
    unwrap(client.DELETE("/api/v1/people/{person}", { params: { path: { person } } })),
  settings: () => unwrap(client.GET("/api/v1/settings")),
  saveSettings: (body: Partial<Settings>) => unwrap(client.PUT("/api/v1/settings", { body })),
  sync: () => unwrap(client.GET("/api/v1/sync")),
  savePolicy: (body: SyncPolicy) => unwrap(client.PUT("/api/v1/sync/policy", { body })),
  day: () => unwrap(client.GET("/api/v1/sync/day")),
  sendNow: (photo: string) =>
    unwrap(client.POST("/api/v1/photos/{photo}/send-now", { params: { path: { photo } } })),
};
