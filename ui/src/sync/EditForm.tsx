// The input of a refused command as a form: the field at fault is marked and has the focus.
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { AttentionView } from "../api/desk";
import { Button } from "../shared/Button";
import { TextField } from "../shared/Field";
import styles from "./Attention.module.css";
import { useReason } from "./AttentionList";
import { type Command, commandOf, formOf } from "./attention";
import { useFieldName } from "./words";

export interface EditFormProps {
  entry: AttentionView;
  isBusy: boolean;
  onCancel: () => void;
  onSend: (command: Command) => void;
}

export function EditForm({ entry, isBusy, onCancel, onSend }: EditFormProps) {
  const { t } = useTranslation(["sync", "common"]);
  const fieldName = useFieldName();
  const reason = useReason();
  const [form, setForm] = useState(() => formOf(entry));
  const [isTouched, setTouched] = useState(false);
  const atFault = (field: string) =>
    entry.field !== null && entry.field !== undefined && field.startsWith(entry.field);
  return (
    <form
      className={styles.block}
      onSubmit={(event) => {
        event.preventDefault();
        if (!isBusy) onSend(commandOf(entry, form));
      }}
    >
      {form.map(({ path, field, text, many }, at) => (
        <TextField
          key={path}
          label={fieldName(field)}
          help={many ? t("attention.many") : undefined}
          value={text}
          autoFocus={form.some((one) => atFault(one.field)) ? atFault(field) : at === 0}
          error={atFault(field) && !isTouched ? reason(entry) : undefined}
          onChange={(value) => {
            if (atFault(field)) setTouched(true);
            setForm(form.map((one) => (one.path === path ? { ...one, text: value } : one)));
          }}
        />
      ))}
      <div className={styles.actions}>
        <Button onPress={onCancel}>{t("common:cancel")}</Button>
        <Button type="submit" tone="primary" isDisabled={isBusy}>
          {t("attention.send_edited")}
        </Button>
      </div>
    </form>
  );
}
