// Drivers: found, read, changed, compared; what a person settles about them.
import { client, type Schemas, stoppedBy, unwrap, V1 } from "./client";
import type { AttentionView } from "./desk";

export type DriverRow = Schemas["DriverHitView"];
export type DriverPage = Schemas["DriverPage"];
export type Licence = Schemas["LicenceView"];
export type Attention = AttentionView;
export type Driver = Omit<Schemas["DriverView"], "attention"> & { attention: Attention[] };
export type HistoryEntry = Schemas["HistoryEntry"];
export type PhotoFace = Schemas["PhotoFace"];
export type Match = Schemas["MatchView"];

/** What of a driver is changed: per field what was seen and what is wanted. */
export interface DriverEdit {
  fields?: Record<string, { was: unknown; now: unknown }>;
  add_phones?: string[];
  remove_phones?: string[];
}

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

export const settle = (entry: string, decision: Schemas["Decision"]) =>
  unwrap(client.POST(`${V1}/needs-attention/{entry}`, { params: { path: { entry } }, body: decision }));
