// The parks of this appliance.
import { useQuery } from "@tanstack/react-query";
import { client, type Schemas, unwrap } from "../api/client";

const NONE: readonly Schemas["ParkView"][] = [];

export function useParks(): readonly Schemas["ParkView"][] {
  const status = useQuery({ queryKey: ["status"], queryFn: () => unwrap(client.GET("/api/v1/status")) });
  return status.data?.parks ?? NONE;
}
