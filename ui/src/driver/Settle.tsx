// What must be settled of a driver, at the driver: why it was refused, or both values of a conflict, and what to do.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { CircleSlash, GitMerge } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../api/client";
import { type Attention, type Driver, editDriver, settle } from "../api/drivers";
import { Button } from "../shared/Button";
import { ago } from "../shared/format";
import { useLang } from "../shared/lang";
import { problemText } from "../shared/Result";
import { useToasts } from "../shared/Toast";
import { shown } from "./edit";
import styles from "./Settle.module.css";

export function Settle({ entry, driver }: { entry: Attention; driver: Driver }) {
  const lang = useLang();
  const { t } = useTranslation("driver");
  const isConflict = entry.conflicts.length > 0;
  const reason = lang === "ru" ? entry.reason_ru : entry.reason_en;
  const Icon = isConflict ? GitMerge : CircleSlash;
  const what = t(`settle.command.${(entry.command ?? "other").replace(".", "_")}`, {
    defaultValue: t("settle.command.other"),
  });
  return (
    <section className={[styles.entry, isConflict ? styles.conflict : ""].join(" ")} aria-label={what}>
      <header className={styles.head}>
        <Icon size={16} aria-hidden="true" />
        <strong>{isConflict ? t("settle.conflict") : t("settle.refused", { what })}</strong>
        <span className={styles.when}>{ago(entry.created_at_ms, lang)}</span>
      </header>
      <p>{reason ?? entry.reason_text}</p>
      {isConflict ? <BothValues entry={entry} driver={driver} /> : <Remedies entry={entry} driver={driver} />}
    </section>
  );
}

function useSettle(entry: Attention, driver: Driver) {
  const { t } = useTranslation("driver");
  const queries = useQueryClient();
  const toasts = useToasts();
  return useMutation({
    mutationFn: (act: () => Promise<unknown>) => act(),
    onSuccess: async () => {
      toasts.tell({ text: t("settle.done") });
      await Promise.all([
        queries.invalidateQueries({ queryKey: ["driver", driver.id] }),
        queries.invalidateQueries({ queryKey: ["attention"] }),
      ]);
    },
    onError: (error) => toasts.tell({ text: problemText(t, error), tone: "bad" }),
    mutationKey: ["settle", entry.id],
  });
}

function Remedies({ entry, driver }: { entry: Attention; driver: Driver }) {
  const { t } = useTranslation("driver");
  const act = useSettle(entry, driver);
  const simple = entry.offers.filter((offer) => offer !== "edit") as ("retry" | "discard" | "use_offer")[];
  return (
    <div className={styles.actions}>
      {simple.map((action) => (
        <Button key={action} size="small" onPress={() => act.mutate(() => settle(entry.id, { action }))}>
          {t(`settle.${action}`)}
        </Button>
      ))}
    </div>
  );
}

/** Per field: what was wanted here and what stands in the park now. */
function BothValues({ entry, driver }: { entry: Attention; driver: Driver }) {
  const { t } = useTranslation("driver");
  const act = useSettle(entry, driver);
  const [mine, setMine] = useState<Record<string, boolean>>({});
  const choose = (field: string, isMine: boolean) => {
    const all = { ...mine, [field]: isMine };
    setMine(all);
    if (!entry.conflicts.every((conflict) => conflict.field in all)) return;
    const wanted = entry.conflicts.filter((conflict) => all[conflict.field]);
    act.mutate(async () => {
      if (wanted.length > 0) {
        const fields = Object.fromEntries(
          wanted.map(({ field: name, wanted: now, stands: was }) => [name, { was, now }]),
        );
        await editDriver(driver.park, driver.id, { fields });
      }
      const done: Schemas["Decision"] = { action: "discard" };
      await settle(entry.id, done);
    });
  };
  return (
    <div className={styles.values}>
      {entry.conflicts.map(({ field, wanted, stands }) => (
        <fieldset key={field} className={styles.value}>
          <legend>{t(`field.${field}`, { defaultValue: field })}</legend>
          <button type="button" aria-pressed={mine[field] === true} onClick={() => choose(field, true)}>
            <span className="secondary">{t("settle.mine")}</span>
            <span>{shown(wanted, field) || t("empty")}</span>
          </button>
          <button type="button" aria-pressed={mine[field] === false} onClick={() => choose(field, false)}>
            <span className="secondary">{t("settle.theirs")}</span>
            <span>{shown(stands, field) || t("empty")}</span>
          </button>
        </fieldset>
      ))}
    </div>
  );
}
