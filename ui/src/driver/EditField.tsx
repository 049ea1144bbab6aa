// One value that becomes a field where it stands: Enter saves, Esc leaves it as it was; nothing around it moves.
import { Pencil } from "lucide-react";
import { type KeyboardEvent, useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { problemText } from "../shared/Result";
import styles from "./EditField.module.css";
import type { FieldKind } from "./edit";

export interface EditFieldProps {
  label: string;
  kind: FieldKind;
  /** As it is typed, and as it is read. */
  value: string;
  shown: string;
  help?: string;
  options?: readonly { value: string; label: string }[] | undefined;
  isOpen: boolean;
  isReadOnly: boolean;
  onOpen: () => void;
  onClose: () => void;
  /** Resolves to what is wrong with it, or to nothing when it was saved. */
  onSave: (typed: string) => Promise<string | undefined>;
}

export function EditField(props: EditFieldProps) {
  const { t } = useTranslation("driver");
  const { label, shown, isOpen, isReadOnly, onOpen } = props;
  const id = useId();
  if (isReadOnly) {
    return (
      <div className={styles.row}>
        <span className={styles.label}>{label}</span>
        <span className={styles.value}>{shown || "—"}</span>
      </div>
    );
  }
  return (
    <div className={styles.row}>
      <span className={styles.label} id={id}>
        {label}
      </span>
      {isOpen ? (
        <Editor {...props} labelledBy={id} />
      ) : (
        <button
          type="button"
          className={styles.value}
          aria-label={`${label}: ${shown || t("empty")}`}
          onClick={onOpen}
        >
          {shown === "" ? <span className={styles.nothing}>{t("empty")}</span> : <span>{shown}</span>}
          <Pencil size={14} aria-hidden="true" className={styles.pencil} />
        </button>
      )}
    </div>
  );
}

function Editor({
  kind,
  value,
  help,
  options,
  onSave,
  onClose,
  labelledBy,
}: EditFieldProps & { labelledBy: string }) {
  const { t } = useTranslation("driver");
  const [typed, setTyped] = useState(value);
  const [error, setError] = useState<string>();
  const busy = useRef(false);
  const errorId = useId();
  const save = async (text: string) => {
    if (busy.current) return;
    busy.current = true;
    try {
      const wrong = await onSave(text);
      if (wrong === undefined) onClose();
      setError(wrong);
    } catch (thrown) {
      setError(problemText(t, thrown));
    } finally {
      busy.current = false;
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !(kind === "long" && event.shiftKey)) {
      event.preventDefault();
      event.stopPropagation();
      void save(typed);
    }
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      busy.current = true;
      onClose();
    }
  };
  const shared = {
    className: styles.input,
    "aria-labelledby": labelledBy,
    "aria-invalid": error !== undefined,
    "aria-describedby": errorId,
    onKeyDown,
    autoFocus: true,
    onBlur: () => void save(typed),
  };
  return (
    <span className={styles.editor}>
      {options ? (
        <select
          {...shared}
          onBlur={onClose}
          value={typed}
          onChange={(event) => void save(event.target.value)}
        >
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      ) : kind === "long" ? (
        <textarea {...shared} rows={3} value={typed} onChange={(event) => setTyped(event.target.value)} />
      ) : (
        <input
          {...shared}
          onFocus={selectAll}
          type={kind === "date" ? "date" : "text"}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
      )}
      <span id={errorId} className={error ? styles.error : styles.help} role={error ? "alert" : undefined}>
        {error ?? help ?? t("edit_help")}
      </span>
    </span>
  );
}

function selectAll(event: { target: { select: () => void } }) {
  event.target.select();
}
