// What every page reads: the glance, who is at the desk, the settings, the installation.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { client, type Schemas, unwrap } from "./client";
import { desk, type Settings } from "./desk";

/** The link's last contact and transfer figures change without a change tag, so the glance is read every few seconds. */
const GLANCE_EVERY_MS = 5_000;
const ASK_AGAIN_MS = 2_000;

export type Status = Schemas["Status"];

export function useStatus(enabled = true) {
  return useQuery({
    queryKey: ["status"],
    enabled,
    queryFn: () => unwrap(client.GET("/api/v1/status")),
    refetchInterval: GLANCE_EVERY_MS,
  });
}

/** Read again by itself while the appliance does not answer. */
export function useInstallation() {
  return useQuery({
    queryKey: ["installation"],
    queryFn: desk.installation,
    retry: false,
    refetchInterval: (query) => (query.state.status === "error" ? ASK_AGAIN_MS : false),
  });
}

export function useSession(enabled = true) {
  return useQuery({ queryKey: ["session"], queryFn: desk.session, enabled });
}

export function useSettings(enabled = true) {
  return useQuery({ queryKey: ["settings"], queryFn: desk.settings, enabled });
}

/** Changes some settings; the pages show the new ones at once and the old ones again if it fails. */
export function useSaveSettings() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (change: Partial<Settings>) => desk.saveSettings(change),
    onMutate: (change) => {
      const before = queries.getQueryData<Settings>(["settings"]);
      if (before) queries.setQueryData(["settings"], { ...before, ...change });
      return { before };
    },
    onError: (_error, _change, context) => {
      if (context?.before) queries.setQueryData(["settings"], context.before);
    },
    onSuccess: (settings) => queries.setQueryData(["settings"], settings),
  });
}
