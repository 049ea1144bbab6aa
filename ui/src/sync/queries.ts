// What the Sync page reads and does.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { client, unwrap } from "../api/client";
import { type AttentionView, desk, type SyncPolicy, type SyncView } from "../api/desk";
import type { Command } from "./attention";

const MOVING_MS = 1_000;
const STILL_MS = 5_000;
const DAY_EVERY_MS = 60_000;

/** Progress has no change tag: it is read every second while files move. */
export function useSync() {
  return useQuery({
    queryKey: ["sync"],
    queryFn: desk.sync,
    refetchInterval: ({ state }) => (isMoving(state.data) ? MOVING_MS : STILL_MS),
  });
}

function isMoving(view: SyncView | undefined): boolean {
  return view?.files.some((file) => file.state === "moving") ?? false;
}

export function useDay() {
  return useQuery({ queryKey: ["sync", "day"], queryFn: desk.day, refetchInterval: DAY_EVERY_MS });
}

export function useAttention() {
  return useQuery({
    queryKey: ["attention"],
    queryFn: (): Promise<AttentionView[]> => unwrap(client.GET("/api/v1/needs-attention")),
  });
}

export type Settle =
  | { action: "retry" }
  | { action: "edit"; command: Command }
  | { action: "discard" }
  | { action: "use_offer" };

function useRefresh() {
  const queries = useQueryClient();
  return (...nouns: string[]) => {
    for (const noun of nouns) void queries.invalidateQueries({ queryKey: [noun] });
  };
}

export function useSettle(entry: string) {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: (decision: Settle) =>
      unwrap(
        client.POST("/api/v1/needs-attention/{entry}", {
          params: { path: { entry } },
          // The generated type knows no arguments of a command: they are of any kind.
          body: decision as never,
        }),
      ),
    onSuccess: () => refresh("attention", "status", "sync"),
  });
}

export function useLink() {
  const refresh = useRefresh();
  const onSuccess = () => refresh("status", "sync");
  const now = useMutation({ mutationFn: () => unwrap(client.POST("/api/v1/sync/now")), onSuccess });
  const pause = useMutation({
    mutationFn: (until_ms: number) => unwrap(client.POST("/api/v1/sync/pause", { body: { until_ms } })),
    onSuccess,
  });
  const resume = useMutation({ mutationFn: () => unwrap(client.POST("/api/v1/sync/resume")), onSuccess });
  return { now, pause, resume };
}

export function useSavePolicy() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (policy: SyncPolicy) => desk.savePolicy(policy),
    onSuccess: (policy) => {
      queries.setQueryData<SyncView>(["sync"], (view) => view && { ...view, policy });
      void queries.invalidateQueries({ queryKey: ["sync"] });
    },
  });
}

export function useSendNow() {
  const refresh = useRefresh();
  return useMutation({ mutationFn: desk.sendNow, onSuccess: () => refresh("sync", "status") });
}
