// The buttons under a shot: save, or take another one; a failed check wants a reason first.
import { type RefObject, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../shared/Button";
import { Reason } from "../shared/Reason";
import styles from "./Decide.module.css";

export interface DecideProps {
  needsReason: boolean;
  isSaving: boolean;
  reasonField: RefObject<HTMLDivElement | null>;
  onSave: (reason?: string) => void;
  onRetake: () => void;
}

export function Decide({ needsReason, isSaving, reasonField, onSave, onRetake }: DecideProps) {
  const { t } = useTranslation("capture");
  const [reason, setReason] = useState("");
  const [isAsked, setAsked] = useState(false);
  const text = reason.trim();
  const save = () => {
    if (!needsReason || text !== "") return onSave(needsReason ? text : undefined);
    setAsked(true);
    reasonField.current?.querySelector("input")?.focus();
  };
  return (
    <div className={styles.decide}>
      {needsReason && (
        <Reason
          value={reason}
          onChange={setReason}
          isMissing={isAsked && text === ""}
          onEnter={save}
          field={reasonField}
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
