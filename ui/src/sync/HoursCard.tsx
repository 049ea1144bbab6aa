// When and how much is exchanged: a metered network keeps originals back, and hours say when the link is used.
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Hours, SyncPolicy, SyncView } from "../api/desk";
import { Button } from "../shared/Button";
import { Switch } from "../shared/Field";
import { bytes } from "../shared/format";
import { useLang } from "../shared/lang";
import { Card } from "../shared/Page";
import { Failure } from "../shared/Result";
import { useToasts } from "../shared/Toast";
import styles from "./Hours.module.css";
import { HoursEditor } from "./HoursEditor";
import { useSavePolicy } from "./queries";
import { dayRuns } from "./schedule";

export function HoursCard({ policy, held }: { policy: SyncPolicy; held: SyncView["held"] }) {
  const { t } = useTranslation("sync");
  const lang = useLang();
  const hoursText = useHoursText();
  const { tell } = useToasts();
  const [edits, setEdits] = useState(false);
  const save = useSavePolicy();
  const change = (next: SyncPolicy) =>
    save.mutate(next, {
      onSuccess: () =>
        tell({ text: t("hours.saved"), undo: () => save.mutateAsync(policy).then(() => undefined) }),
    });
  return (
    <Card
      title={t("hours.title")}
      aside={
        <Button size="small" onPress={() => setEdits(true)}>
          {t("hours.edit")}
        </Button>
      }
    >
      <ul className={styles.summary}>
        {policy.schedule.length === 0 && <li>{t("hours.always")}</li>}
        {policy.schedule.map((row) => (
          <li key={JSON.stringify(row)}>{hoursText(row)}</li>
        ))}
      </ul>
      <div>
        <Switch
          isSelected={policy.mode === "metered"}
          isDisabled={save.isPending}
          onChange={(on) => change({ ...policy, mode: on ? "metered" : "unmetered" })}
        >
          {t("hours.metered")}
        </Switch>
        <p className="secondary">
          {held.files > 0
            ? t("hours.held", { count: held.files, size: bytes(held.bytes, lang) })
            : t("hours.metered_help")}
        </p>
      </div>
      {save.error && <Failure error={save.error} />}
      {edits && (
        <HoursEditor
          schedule={policy.schedule}
          onClose={() => setEdits(false)}
          onSave={(schedule) => {
            setEdits(false);
            change({ ...policy, schedule });
          }}
        />
      )}
    </Card>
  );
}

/** `Пн–Пт 22:00–06:00`. */
export function useHoursText(): (row: Hours) => string {
  const { t } = useTranslation("sync");
  return ({ days, from, to }) => {
    const names = dayRuns(days).map(([first, last]) =>
      first === last ? t(`hours.day.${first}`) : `${t(`hours.day.${first}`)}–${t(`hours.day.${last}`)}`,
    );
    return `${days.length === 7 ? t("hours.daily") : names.join(", ")} ${from}–${to}`;
  };
}
