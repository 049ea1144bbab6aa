// The Sync page: where the link stands, what a person must settle, what waits and how old it is, what moves, and when.
import { useTranslation } from "react-i18next";
import { useSearchParams } from "wouter";
import type { SyncView } from "../api/desk";
import { Page } from "../shared/Page";
import { Result } from "../shared/Result";
import { useShortcuts } from "../shared/shortcuts";
import { AttentionDrawer } from "./AttentionDrawer";
import { AttentionList } from "./AttentionList";
import { DayCard } from "./DayCard";
import { FilesCard } from "./FilesCard";
import { HoursCard } from "./HoursCard";
import { LinkCard } from "./LinkCard";
import { useAttention, useLink, useSync } from "./queries";
import styles from "./SyncPage.module.css";
import { WaitingCard } from "./WaitingCard";

const HOUR_MS = 3_600_000;

/** Nothing to read in the wide column: the day has its place there. */
const isQuiet = (view: SyncView) => view.waiting_total === 0 && view.files.length === 0;

export default function SyncPage() {
  const { t } = useTranslation(["sync", "common"]);
  const sync = useSync();
  const attention = useAttention();
  // The entry is in the address: a driver's page leads to what is to be settled of it.
  const [search, setSearch] = useSearchParams();
  const opened = search.get("entry") ?? undefined;
  const setOpened = (entry?: string) => setSearch(entry ? { entry } : {}, { replace: true });
  const link = useLink();
  const isPaused = sync.data?.link.state === "paused";
  useShortcuts([
    { keys: "KeyN", label: t("link.now"), run: () => link.now.mutate() },
    {
      keys: "KeyP",
      label: isPaused ? t("link.resume") : t("link.pause_for_hour"),
      run: () => (isPaused ? link.resume.mutate() : link.pause.mutate(Date.now() + HOUR_MS)),
    },
  ]);
  const entry = attention.data?.find(({ id }) => id === opened);
  return (
    <Page
      title={t("common:nav.sync")}
      drawer={entry && <AttentionDrawer key={entry.id} entry={entry} onClose={() => setOpened(undefined)} />}
    >
      <Result query={sync}>
        {(view: SyncView) => (
          <div className={styles.page}>
            <LinkCard view={view} />
            <div className={styles.columns}>
              <div className={styles.column}>
                <AttentionList query={attention} opened={opened} onOpen={setOpened} />
                <WaitingCard view={view} />
                <FilesCard view={view} />
                {isQuiet(view) && <DayCard />}
              </div>
              <div className={styles.column}>
                {!isQuiet(view) && <DayCard />}
                <HoursCard policy={view.policy} held={view.held} />
              </div>
            </div>
          </div>
        )}
      </Result>
    </Page>
  );
}
