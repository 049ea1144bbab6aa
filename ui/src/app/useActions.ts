// The pages and commands that the global search offers.
import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import { client, unwrap } from "../api/client";
import { desk } from "../api/desk";
import { useSaveSettings, useSession, useStatus } from "../api/queries";
import { useToasts } from "../shared/Toast";
import { speak } from "./i18n";
import { pagesFor } from "./routes";
import type { Action } from "./search";

export interface Runnable extends Action {
  run: () => void;
}

const HOUR_MS = 3_600_000;

export function useActions(): { pages: Runnable[]; commands: Runnable[] } {
  const { t } = useTranslation("common");
  const [, go] = useLocation();
  const { tell } = useToasts();
  const queries = useQueryClient();
  const session = useSession().data;
  const link = useStatus().data?.link.state;
  const { mutate: save } = useSaveSettings();
  const signOut = useSignOut();

  const sync = (call: () => Promise<unknown>) => () => {
    void call().then(
      () => queries.invalidateQueries({ queryKey: ["status"] }),
      () => tell({ text: t("problem.later"), tone: "bad" }),
    );
  };
  const pause = () =>
    unwrap(client.POST("/api/v1/sync/pause", { body: { until_ms: Date.now() + HOUR_MS } })).then(() =>
      tell({ text: t("commands.paused"), undo: resume }),
    );
  const resume = () => unwrap(client.POST("/api/v1/sync/resume")).then(() => undefined);

  const pages = pagesFor(session)
    .filter(({ icon }) => icon)
    .map(({ name, path }) => ({ id: path, name: t(`nav.${name}`), also: name, run: () => go(path) }));
  const command = (id: string, run: () => void) => ({
    id,
    name: t(`commands.${id}`),
    also: t(`commands.also_${id}`),
    run,
  });
  const commands = [
    command(
      "sync_now",
      sync(() => unwrap(client.POST("/api/v1/sync/now"))),
    ),
    link === "paused" ? command("resume", sync(resume)) : command("pause", sync(pause)),
    ...(["system", "light", "dark"] as const).map((theme) => command(theme, () => save({ theme }))),
    command("lang_ru", () => void speak("ru").then(() => save({ lang: "ru" }))),
    command("lang_en", () => void speak("en").then(() => save({ lang: "en" }))),
    ...(session?.person ? [command("sign_out", signOut)] : []),
  ];
  return { pages, commands };
}

/** Ends the person's session at this desk; what was typed and not saved is gone, so nothing of it stays on the screen. */
export function useSignOut(): () => void {
  const queries = useQueryClient();
  const { tell } = useToasts();
  const { t } = useTranslation("common");
  return () =>
    void desk.signOut().then(
      (session) => {
        queries.removeQueries({ predicate: ({ queryKey }) => !KEPT.has(String(queryKey[0])) });
        queries.setQueryData(["session"], session);
      },
      () => tell({ text: t("problem.later"), tone: "bad" }),
    );
}

const KEPT = new Set(["session", "status", "settings", "installation"]);
