// What a person must settle. Each opens in the drawer, and the list stays in sight.
import type { UseQueryResult } from "@tanstack/react-query";
import { ChevronRight, CircleSlash, FileWarning, GitMerge, Hourglass, type LucideIcon } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { AttentionView } from "../api/desk";
import { Freshness } from "../shared/Freshness";
import { ago } from "../shared/format";
import { useLang } from "../shared/lang";
import { useNow } from "../shared/now";
import { Card } from "../shared/Page";
import { Result } from "../shared/Result";
import styles from "./Attention.module.css";
import sync from "./SyncPage.module.css";
import { useKindName } from "./words";

const LOOKS: Record<string, [LucideIcon, string | undefined]> = {
  refused: [CircleSlash, styles.refused],
  conflict: [GitMerge, styles.conflict],
  stuck: [Hourglass, styles.conflict],
};

export interface AttentionListProps {
  query: UseQueryResult<AttentionView[]>;
  opened: string | undefined;
  onOpen: (entry: string) => void;
}

export function AttentionList({ query, opened, onOpen }: AttentionListProps) {
  const { t } = useTranslation("sync");
  // Nothing to settle is the normal case and needs no card.
  if (query.data?.length === 0) return null;
  const aside = query.data && (
    <span className={styles.aside}>
      <Freshness />
      <span className={sync.count}>{query.data.length}</span>
    </span>
  );
  return (
    <Card title={t("attention.title")} aside={aside}>
      <Result query={query}>
        {(entries) => (
          <ul className={styles.list}>
            {entries.map((entry) => (
              <li key={entry.id}>
                <Row entry={entry} isOpened={entry.id === opened} onOpen={() => onOpen(entry.id)} />
              </li>
            ))}
          </ul>
        )}
      </Result>
    </Card>
  );
}

function Row({ entry, isOpened, onOpen }: { entry: AttentionView; isOpened: boolean; onOpen: () => void }) {
  const lang = useLang();
  const now = useNow(10_000);
  const kindName = useKindName();
  const reason = useReason();
  const [Icon, tone] = LOOKS[entry.kind] ?? [FileWarning, styles.error];
  return (
    <button type="button" className={styles.row} aria-expanded={isOpened} onClick={onOpen}>
      <span className={[styles.icon, tone].join(" ")} aria-hidden="true">
        <Icon size={16} />
      </span>
      <span className={styles.text}>
        <strong>{entry.subject?.name ?? kindName(entry.command ?? entry.kind)}</strong>
        <span>
          {entry.subject?.name ? `${kindName(entry.command)}: ` : ""}
          {reason(entry)}
        </span>
      </span>
      <span className={styles.age}>{ago(entry.created_at_ms, lang, now)}</span>
      <ChevronRight size={16} aria-hidden="true" />
    </button>
  );
}

/** Why it was not done, in the reader's language. */
export function useReason(): (entry: AttentionView) => string {
  const lang = useLang();
  return ({ reason_ru, reason_en }) => sentence(lang === "ru" ? reason_ru : reason_en);
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
