// The hours of exchange, one row a window: days, from, to.
import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { Group, ToggleButton } from "react-aria-components";
import { useTranslation } from "react-i18next";
import type { Hours } from "../api/desk";
import { Button, IconButton } from "../shared/Button";
import { Dialog } from "../shared/Dialog";
import { TextField } from "../shared/Field";
import styles from "./Hours.module.css";
import { problemOf, saved, WEEK } from "./schedule";

const NIGHTS: Hours = { days: [1, 2, 3, 4, 5, 6, 7], from: "22:00", to: "06:00" };

export interface HoursEditorProps {
  schedule: readonly Hours[];
  onClose: () => void;
  onSave: (schedule: Hours[]) => void;
}

interface Row extends Hours {
  key: number;
}

export function HoursEditor({ schedule, onClose, onSave }: HoursEditorProps) {
  const { t } = useTranslation(["sync", "common"]);
  const [rows, setRows] = useState<Row[]>(() => schedule.map((row, key) => ({ ...row, key })));
  const [wasSent, setWasSent] = useState(false);
  const change = (key: number, part: Partial<Hours>) =>
    setRows(rows.map((row) => (row.key === key ? { ...row, ...part } : row)));
  const add = () => setRows([...rows, { ...NIGHTS, key: Math.max(0, ...rows.map(({ key }) => key)) + 1 }]);
  return (
    <Dialog isOpen wide onClose={onClose} title={t("hours.editor")}>
      <form
        className={styles.editor}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setWasSent(true);
          if (!rows.some(problemOf)) onSave(saved(rows));
        }}
      >
        <p className={styles.help}>{t(rows.length === 0 ? "hours.always_help" : "hours.editor_help")}</p>
        {rows.map((row) => (
          <HoursRow
            key={row.key}
            row={row}
            problem={wasSent ? problemOf(row) : undefined}
            onChange={(part) => change(row.key, part)}
            onRemove={() => setRows(rows.filter(({ key }) => key !== row.key))}
          />
        ))}
        <div>
          <Button size="small" onPress={add}>
            <Plus size={16} aria-hidden="true" />
            {t("hours.add")}
          </Button>
        </div>
        <div className={styles.actions}>
          <Button onPress={onClose}>{t("common:cancel")}</Button>
          <Button type="submit" tone="primary">
            {t("common:save")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

interface HoursRowProps {
  row: Hours;
  problem: ReturnType<typeof problemOf>;
  onChange: (part: Partial<Hours>) => void;
  onRemove: () => void;
}

function HoursRow({ row, problem, onChange, onRemove }: HoursRowProps) {
  const { t } = useTranslation("sync");
  return (
    <div className={styles.row}>
      <div className={styles.field}>
        <span className={styles.label} aria-hidden="true">
          {t("hours.days")}
        </span>
        <Group className={styles.days} aria-label={t("hours.days")}>
          {WEEK.map((day) => (
            <ToggleButton
              key={day}
              className={styles.day}
              aria-label={t(`hours.day_name.${day}`)}
              isSelected={row.days.includes(day)}
              onChange={(on) =>
                onChange({ days: on ? [...row.days, day] : row.days.filter((one) => one !== day) })
              }
            >
              {t(`hours.day.${day}`)}
            </ToggleButton>
          ))}
        </Group>
      </div>
      <TextField
        className={styles.time ?? ""}
        label={t("hours.from")}
        inputMode="numeric"
        placeholder="22:00"
        value={row.from}
        isInvalid={problem === "from" || problem === "equal"}
        onChange={(from) => onChange({ from })}
      />
      <TextField
        className={styles.time ?? ""}
        label={t("hours.to")}
        inputMode="numeric"
        placeholder="06:00"
        value={row.to}
        isInvalid={problem === "to" || problem === "equal"}
        onChange={(to) => onChange({ to })}
      />
      <IconButton label={t("hours.remove")} className={styles.remove ?? ""} onPress={onRemove}>
        <Trash2 size={18} />
      </IconButton>
      {problem && (
        <p className={styles.problem} role="alert">
          {t(`hours.problem.${problem}`)}
        </p>
      )}
    </div>
  );
}
