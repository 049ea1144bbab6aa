// The buttons under a shot: save, or take another one; a failed check is saved only with a reason.
import { type RefObject, useEffect, useImperativeHandle, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../shared/Button";
import { Reason } from "../shared/Reason";
import styles from "./Decide.module.css";

export interface DecideHandle {
  /** What Enter does: saves, or asks for the reason first. */
  save: () => void;
}

export interface DecideProps {
  needsReason: boolean;
  isSaving: boolean;
  handle: RefObject<DecideHandle | null>;
  onSave: (reason?: string) => void;
  onRetake: () => void;
}

export function Decide({ needsReason, isSaving, handle, onSave, onRetake }: DecideProps) {
  const { t } = useTranslation("capture");
  const [reason, setReason] = useState("");
  const [isAsked, setAsked] = useState(false);
  const [isMissing, setMissing] = useState(false);
  const field = useRef<HTMLDivElement>(null);
  const text = reason.trim();
  const save = () => {
    if (!needsReason) return onSave();
    if (text !== "") return onSave(text);
    setMissing(isAsked);
    setAsked(true);
    field.current?.querySelector("input")?.focus();
  };
  useImperativeHandle(handle, () => ({ save }));
  useEffect(() => {
    if (isAsked) field.current?.querySelector("input")?.focus();
  }, [isAsked]);
  return (
    <div className={styles.decide}>
      {isAsked && (
        <Reason
          value={reason}
          onChange={setReason}
          isMissing={isMissing && text === ""}
          onEnter={save}
          field={field}
        />
      )}
      <div className={styles.actions}>
        <Button size="large" onPress={onRetake} hint="R" tone={needsReason ? "primary" : "plain"}>
          {t("retake")}
        </Button>
        <Button
          size="large"
          tone={needsReason ? "plain" : "primary"}
          hint="Enter"
          onPress={save}
          isDisabled={isSaving}
        >
          {t(needsReason ? "save_anyway" : "save")}
        </Button>
      </div>
    </div>
  );
}
