// Both sides changed the same fields: the two values beside each other, and a choice for each.
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { AttentionView } from "../api/desk";
import { Button } from "../shared/Button";
import { Choice } from "../shared/Choice";
import styles from "./Attention.module.css";
import { isDecided, resolve, type Side } from "./attention";
import type { Settle } from "./queries";
import { useFieldName, useValueText } from "./words";

export interface ConflictFormProps {
  entry: AttentionView;
  isBusy: boolean;
  onDecide: (decision: Settle) => void;
}

export function ConflictForm({ entry, isBusy, onDecide }: ConflictFormProps) {
  const { t } = useTranslation("sync");
  const fieldName = useFieldName();
  const valueText = useValueText();
  const [choices, setChoices] = useState<Record<string, Side>>({});
  const decided = isDecided(entry, choices);
  return (
    <form
      className={styles.block}
      onSubmit={(event) => {
        event.preventDefault();
        if (!decided || isBusy) return;
        const command = resolve(entry, choices);
        onDecide(command ? { action: "edit", command } : { action: "discard" });
      }}
    >
      {entry.conflicts.map(({ field, wanted, stands }) => (
        <Choice<Side>
          key={field}
          label={fieldName(field)}
          value={choices[field]}
          onChange={(side) => setChoices({ ...choices, [field]: side })}
          choices={[
            { id: "wanted", name: valueText(field, wanted), help: t("attention.own") },
            { id: "stands", name: valueText(field, stands), help: t("attention.theirs") },
          ]}
        />
      ))}
      <div className={styles.actions}>
        <Button type="submit" tone="primary" isDisabled={!decided || isBusy}>
          {t("attention.apply")}
        </Button>
      </div>
    </form>
  );
}
