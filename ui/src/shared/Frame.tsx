// The frame of everything that is shown before the desk: one card in the middle, nothing else to do.
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import styles from "./Frame.module.css";

export interface FrameProps {
  title: string;
  /** Above the title: where one is in the steps, or an icon. */
  over?: ReactNode;
  children: ReactNode;
  /** The buttons at the foot, the main one last. */
  actions?: ReactNode;
}

export function Frame({ title, over, children, actions }: FrameProps) {
  const { t } = useTranslation("common");
  return (
    <main className={styles.frame}>
      <div className={styles.brand}>
        <img src="/icon.svg" alt="" width={28} height={28} />
        <span>{t("app")}</span>
      </div>
      <section className={styles.card}>
        {over}
        <h1>{title}</h1>
        {children}
        {actions && <footer className={styles.actions}>{actions}</footer>}
      </section>
    </main>
  );
}
