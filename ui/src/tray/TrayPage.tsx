// Pictures without a driver, and the watched folder they come from: say whose they are, or throw them away.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Inbox } from "lucide-react";
import { type KeyboardEvent, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../api/client";
import { assignTray, discardTray, listTray, returnToTray, trayFile } from "../api/pictures";
import { Freshness } from "../shared/Freshness";
import { tileFor } from "../shared/grid-keys";
import { Page } from "../shared/Page";
import { Picture } from "../shared/Picture";
import { Empty, problemText, Result } from "../shared/Result";
import { useShortcuts } from "../shared/shortcuts";
import { useToasts } from "../shared/Toast";
import { Deferred } from "./deferred";
import { Folder } from "./Folder";
import { TrayEntry } from "./TrayEntry";
import styles from "./TrayPage.module.css";

const UNDO_MS = 10_000;
/** Of the program, not of the page: who leaves the page has thrown away nonetheless. */
const discards = new Deferred();

export default function TrayPage() {
  const { t } = useTranslation("tray");
  const query = useQuery({ queryKey: ["tray"], queryFn: ({ signal }) => listTray(signal) });
  const hidden = useSyncExternalStore(discards.subscribe, discards.all);
  const shown = (query.data ?? []).filter((entry) => !hidden.includes(entry.id));
  return (
    <Page
      title={t("title")}
      note={
        <>
          {shown.length > 0 && <span>{t("count", { count: shown.length })}</span>}
          <Freshness />
        </>
      }
      fill
    >
      <Folder />
      <Result query={query}>{() => <Tray entries={shown} />}</Result>
    </Page>
  );
}

function Tray({ entries }: { entries: readonly Schemas["TrayView"][] }) {
  const { t } = useTranslation("tray");
  const toasts = useToasts();
  const queries = useQueryClient();
  const [at, setAt] = useState(0);
  const grid = useRef<HTMLUListElement>(null);
  const index = Math.min(at, entries.length - 1);
  const entry = entries[index];
  useEffect(() => grid.current?.focus({ preventScroll: true }), []);
  useEffect(() => {
    grid.current?.querySelector(`[id="tray-${entry?.id}"]`)?.scrollIntoView({ block: "nearest" });
  }, [entry?.id]);

  const readAgain = () => queries.invalidateQueries({ queryKey: ["tray"] });
  const discard = () => {
    if (!entry) return;
    const { id, file_name } = entry;
    discards.add(id, UNDO_MS, async () => {
      await discardTray(id).catch((error: unknown) => {
        toasts.tell({ text: problemText(t, error), tone: "bad" });
      });
      await readAgain();
    });
    toasts.tell({ text: t("discarded", { file: file_name }), undo: () => void discards.back(id) });
    grid.current?.focus({ preventScroll: true });
  };
  const assign = async (driver: { park: string; id: string; name: string }, reason: string | undefined) => {
    if (!entry) return;
    try {
      const assigned = { driver: driver.id, park: driver.park, ...(reason ? { reason } : {}) };
      const taken = await assignTray(entry.id, assigned);
      const photo = taken.taken === "captured" ? taken.photo : undefined;
      toasts.tell({
        text: photo ? t("assigned", { name: driver.name }) : t("known", { name: driver.name }),
        ...(photo ? { undo: () => returnToTray(photo).then(readAgain) } : {}),
      });
      await readAgain();
      grid.current?.focus({ preventScroll: true });
    } catch (error) {
      toasts.tell({ text: problemText(t, error), tone: "bad" });
    }
  };
  useShortcuts([
    { keys: "Delete", label: t("keys.discard"), run: discard, isDisabled: !entry },
    { keys: "KeyU", label: t("keys.undo"), run: () => void toasts.undoLast() },
  ]);
  const onKeyDown = (event: KeyboardEvent<HTMLUListElement>) => {
    const columns = getComputedStyle(event.currentTarget).gridTemplateColumns.split(" ").length;
    const next = tileFor(event.key, index, entries.length, columns);
    if (next === undefined) return;
    event.preventDefault();
    setAt(next);
  };

  if (!entry) {
    return (
      <Empty icon={<Inbox size={24} />} title={t("none.title")}>
        <p>{t("none.text")}</p>
      </Empty>
    );
  }
  return (
    <div className={styles.tray}>
      <ul
        ref={grid}
        role="listbox"
        tabIndex={0}
        aria-label={t("title")}
        aria-activedescendant={`tray-${entry.id}`}
        className={styles.grid}
        onKeyDown={onKeyDown}
      >
        {entries.map((one, place) => (
          <li
            key={one.id}
            id={`tray-${one.id}`}
            role="option"
            aria-selected={place === index}
            className={styles.tile}
            onClick={() => setAt(place)}
          >
            <Picture path={trayFile(one.id, "thumb")} alt="" ratio="3 / 4" />
            <span className={styles.file}>{one.file_name}</span>
            <span className={styles.reason}>
              {t(`short.${one.reason}`, { defaultValue: one.reason_text })}
            </span>
          </li>
        ))}
      </ul>
      <TrayEntry key={entry.id} entry={entry} onAssign={assign} onDiscard={discard} />
    </div>
  );
}
