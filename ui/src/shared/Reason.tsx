// Why a photo is sent in spite of a failed check: one of the usual reasons, or one's own words.
import type { RefObject } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "./Button";
import { TextField } from "./Field";
import styles from "./Reason.module.css";

export interface ReasonProps {
  value: string;
  onChange: (reason: string) => void;
  /** It was asked for and not given. */
  isMissing: boolean;
  onEnter: () => void;
  field: RefObject<HTMLDivElement | null>;
}

const USUAL = ["appearance", "conditions", "urgent"] as const;

export function Reason({ value, onChange, isMissing, onEnter, field }: ReasonProps) {
  const { t } = useTranslation("check");
  return (
    <div ref={field} className={styles.reason}>
      <TextField
        label={t("reason.label")}
        value={value}
        onChange={onChange}
        maxLength={500}
        error={isMissing ? t("reason.needed") : undefined}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          onEnter();
        }}
      />
      <div className={styles.usual}>
        {USUAL.map((name) => (
          <Button key={name} size="small" onPress={() => onChange(t(`reason.${name}`))}>
            {t(`reason.${name}`)}
          </Button>
        ))}
      </div>
    </div>
  );
}
