// The foot of every step: back where there is a way back, and what leads on.
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../shared/Button";
import styles from "./Setup.module.css";

/** What every step gets. */
export interface StepProps {
  onNext: () => void;
  onBack: (() => void) | undefined;
}

export function StepActions({ onBack, children }: { onBack: (() => void) | undefined; children: ReactNode }) {
  const { t } = useTranslation("common");
  return (
    <footer className={styles.actions}>
      {onBack && <Button onPress={onBack}>{t("back")}</Button>}
      <span className={styles.gap} />
      {children}
    </footer>
  );
}
