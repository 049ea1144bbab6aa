// The watched folder at a glance, and its files with where each of them stands.
import { ChevronDown, FolderOpen, FolderX } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import type { Watch } from "../api/pictures";
import { useStatus } from "../api/queries";
import { bytes, count, time } from "../shared/format";
import { useLang } from "../shared/lang";
import styles from "./Folder.module.css";

export function Folder() {
  const { t } = useTranslation("tray");
  const lang = useLang();
  const [isOpen, setOpen] = useState(false);
  const status = useStatus();
  if (!status.data) return <div className={styles.folder} />;
  const watch = status.data.watch as Watch | null | undefined;
  if (!watch) {
    return (
      <div className={styles.folder}>
        <p className={styles.line}>
          <FolderX size={16} aria-hidden="true" />
          <span>{t("folder.none")}</span>
          <Link href="/settings" className={styles.link}>
            {t("folder.choose")}
          </Link>
        </p>
      </div>
    );
  }
  const files = watch.files ?? [];
  const isWell = watch.state === "watching";
  return (
    <div className={[styles.folder, isWell ? "" : styles.hindered].join(" ")}>
      <p className={styles.line}>
        {isWell ? <FolderOpen size={16} aria-hidden="true" /> : <FolderX size={16} aria-hidden="true" />}
        <strong className={styles.path} title={watch.folder}>
          {watch.folder}
        </strong>
        <span>{t(`folder.state.${watch.state}`)}</span>
        {!isWell && (
          <Link href="/settings" className={styles.link}>
            {t("folder.choose")}
          </Link>
        )}
        <span className={styles.counts}>
          {t("folder.counts", {
            taken: count(watch.taken, lang),
            waiting: count(watch.waiting, lang),
            rejected: count(watch.rejected, lang),
          })}
        </span>
        {files.length > 0 && (
          <button
            type="button"
            className={styles.toggle}
            aria-expanded={isOpen}
            onClick={() => setOpen(!isOpen)}
          >
            {t("folder.files", { count: files.length })}
            <ChevronDown size={16} aria-hidden="true" data-open={isOpen || undefined} />
          </button>
        )}
      </p>
      {isOpen && (
        <ul className={styles.files}>
          {files.map((file) => (
            <li key={`${file.name} ${file.seen_at_ms}`} data-state={file.state}>
              <span className={styles.name}>{file.name}</span>
              <span className={styles.state}>
                {t(`folder.file.${file.state}`)}
                {(lang === "ru" ? file.reason_ru : file.reason_en) &&
                  `: ${lang === "ru" ? file.reason_ru : file.reason_en}`}
              </span>
              <span className="secondary">{bytes(file.size_bytes, lang)}</span>
              <span className="secondary">{time(file.seen_at_ms, lang)}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
