// What was done to a driver, by whom, the newest first; what this device has not yet got accepted says so.
import { useQuery } from "@tanstack/react-query";
import { ArrowRight } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { driverHistory, type HistoryEntry } from "../api/drivers";
import { Button } from "../shared/Button";
import { ago } from "../shared/format";
import { useLang } from "../shared/lang";
import { Picture, photoPath } from "../shared/Picture";
import { photoReason } from "../shared/photo-reason";
import { Result } from "../shared/Result";
import { RecordStatus } from "../shared/Status";
import styles from "./DriverHistory.module.css";

const FIRST = 8;

export function DriverHistory({ park, driver }: { park: string; driver: string }) {
  const { t } = useTranslation("driver");
  const [all, setAll] = useState(false);
  const query = useQuery({
    queryKey: ["driver", driver, "history", park],
    queryFn: ({ signal }) => driverHistory(park, driver, signal),
  });
  return (
    <Result
      query={query}
      empty={(entries) => (entries.length === 0 ? <p>{t("history.none")}</p> : undefined)}
    >
      {(entries) => (
        <>
          <ol className={styles.list}>
            {entries.slice(0, all ? undefined : FIRST).map((entry) => (
              <Entry key={`${entry.at_ms} ${entry.kind} ${entry.photo ?? ""}`} entry={entry} />
            ))}
          </ol>
          {!all && entries.length > FIRST && (
            <Button size="small" tone="quiet" onPress={() => setAll(true)}>
              {t("history.more", { count: entries.length - FIRST })}
            </Button>
          )}
        </>
      )}
    </Result>
  );
}

function Entry({ entry }: { entry: HistoryEntry }) {
  const lang = useLang();
  const { t } = useTranslation("driver");
  const value = (field: string, text: string | null | undefined) => {
    if (!text) return t("empty");
    if (field === "photo_status" || field === "status")
      return t(`photo_status.${text}`, { ns: "common", defaultValue: text });
    if (field === "work_status") return t(`work_status.${text}`, { defaultValue: text });
    if (field === "verdict") return t(`matches.verdict.${text}`, { defaultValue: text });
    return text;
  };
  return (
    <li className={styles.entry}>
      {entry.photo ? (
        <Picture className={styles.thumb ?? ""} path={photoPath(entry.photo, "thumb")} alt="" />
      ) : (
        <span className={styles.dot} aria-hidden="true" />
      )}
      <div className={styles.text}>
        <p>{t(`history.kind.${entry.kind}`, { defaultValue: t("history.kind.other") })}</p>
        {entry.fields.map((field) => (
          <p key={field.field} className={styles.change}>
            <span className={styles.field}>{t(`field.${field.field}`, { defaultValue: field.field })}:</span>
            {field.was != null && (
              <>
                <s>{value(field.field, field.was)}</s>
                <ArrowRight size={12} role="img" aria-label={t("history.became")} />
              </>
            )}
            <span>{value(field.field, field.now)}</span>
          </p>
        ))}
        {entry.reason && <p className={styles.change}>{photoReason(t, entry.reason)}</p>}
        <p className={styles.when}>
          {ago(entry.at_ms, lang)}
          {entry.by && ` · ${entry.by}`}
        </p>
        {entry.state !== "accepted" && <RecordStatus state={entry.state} bare />}
      </div>
    </li>
  );
}
