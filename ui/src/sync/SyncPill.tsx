// The sync pill of the header: the one place that tells of the network. It opens the Sync page (Alt+S).
import {
  AlertCircle,
  Ban,
  Check,
  CloudOff,
  CloudUpload,
  Hourglass,
  type LucideIcon,
  Pause,
} from "lucide-react";
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { useStatus } from "../api/queries";
import { ago, count, dateTime, duration, time } from "../shared/format";
import { useLang } from "../shared/lang";
import { useNow } from "../shared/now";
import { type Batch, NO_BATCH, nextBatch, type Pill, type PillKind, pillOf } from "./pill";
import styles from "./SyncPill.module.css";

const ICONS: Record<PillKind, LucideIcon> = {
  asking: Hourglass,
  revoked: Ban,
  not_enrolled: Ban,
  offline: CloudOff,
  paused: Pause,
  attention: AlertCircle,
  sending: CloudUpload,
  starting: Hourglass,
  waiting: CloudUpload,
  synced: Check,
};

export function SyncPill() {
  const { data: status } = useStatus();
  const batch = useRef<Batch>(NO_BATCH);
  batch.current = nextBatch(batch.current, status?.link.sending?.files_left ?? 0);
  const now = useNow();
  return <PillView pill={pillOf(status, batch.current)} now={now} />;
}

export function PillView({ pill, now }: { pill: Pill; now: number }) {
  const { t } = useTranslation("sync");
  const text = usePillText(pill, now);
  const Icon = ICONS[pill.kind];
  return (
    <Link href="/sync" className={[styles.pill, styles[pill.tone]].join(" ")} title={t("pill.opens")}>
      <Icon size={16} aria-hidden="true" />
      <span className={styles.text}>{text}</span>
      {pill.attention > 0 && (
        <span className={styles.mark}>
          <AlertCircle size={12} aria-hidden="true" />
          <span className="visually-hidden">{t("pill.attention_label")} </span>
          {pill.attention}
        </span>
      )}
    </Link>
  );
}

function usePillText(pill: Pill, now: number): string {
  const { t } = useTranslation("sync");
  const lang = useLang();
  const isToday = (ms: number) => new Date(ms).toDateString() === new Date(now).toDateString();
  const clock = (ms: number) => (isToday(ms) ? time(ms, lang) : dateTime(ms, lang, now));
  const { kind, atMs, waiting, file, leftMs } = pill;
  const parts: string[] = [];
  if (kind === "synced" && atMs !== undefined)
    parts.push(t("pill.synced_ago", { ago: ago(atMs, lang, now) }));
  else if (kind === "offline" && atMs !== undefined)
    parts.push(t("pill.offline_since", { time: clock(atMs) }));
  else if (kind === "paused" && atMs !== undefined) parts.push(t("pill.paused_until", { time: clock(atMs) }));
  else if (kind === "sending" && file) parts.push(t("pill.sending_of", { number: file.number, of: file.of }));
  else parts.push(t(`pill.${kind}`, { count: waiting }));
  if (kind === "sending" && leftMs !== undefined) parts.push(duration(Math.max(leftMs, 1_000), lang));
  if ((kind === "offline" || kind === "paused") && waiting > 0)
    parts.push(t("pill.waits", { count: waiting, total: count(waiting, lang) }));
  return parts.join(" · ");
}
