// What waits for the hub, the oldest first.
import { CheckCircle2 } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { SyncView, WaitingView } from "../api/desk";
import { ago, count } from "../shared/format";
import { useLang } from "../shared/lang";
import { useNow } from "../shared/now";
import { Card } from "../shared/Page";
import { RecordStatus } from "../shared/Status";
import { Rows } from "./Rows";
import rows from "./Rows.module.css";
import styles from "./SyncPage.module.css";
import { useKindName } from "./words";

export function WaitingCard({ view }: { view: SyncView }) {
  const { t } = useTranslation("sync");
  const lang = useLang();
  const now = useNow(10_000);
  const { waiting, waiting_total } = view;
  const title = t("waiting.title");
  if (waiting_total === 0)
    return (
      <Card title={title}>
        <p className={styles.nothing}>
          <CheckCircle2 size={18} aria-hidden="true" />
          {t("waiting.none")}
        </p>
      </Card>
    );
  const oldest = waiting[0];
  const note = oldest
    ? t("waiting.oldest", {
        count: waiting_total,
        total: count(waiting_total, lang),
        ago: ago(oldest.at_ms, lang, now),
      })
    : "";
  return (
    <Card title={title} aside={<span className={styles.count}>{note}</span>}>
      <Rows label={title} rows={waiting} keyOf={({ id }) => id}>
        {(row) => <Waiting row={row} now={now} />}
      </Rows>
      {waiting_total > waiting.length && (
        <p className={`secondary ${rows.foot}`}>
          {t("waiting.more", {
            count: waiting_total - waiting.length,
            total: count(waiting_total - waiting.length, lang),
          })}
        </p>
      )}
    </Card>
  );
}

function Waiting({ row, now }: { row: WaitingView; now: number }) {
  const lang = useLang();
  const kindName = useKindName();
  return (
    <>
      <span className={rows.text}>
        <span>{row.subject?.name ?? kindName(row.kind)}</span>
        <span className="secondary">
          {[row.subject?.name ? kindName(row.kind) : "", row.by ?? ""].filter(Boolean).join(" · ")}
        </span>
      </span>
      <span className={rows.side}>
        <RecordStatus state={row.state} bare />
        <span className={rows.age}>{ago(row.at_ms, lang, now)}</span>
      </span>
    </>
  );
}
