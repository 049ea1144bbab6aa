// The frame of a page: title, its actions, what stands beside, the content, and a drawer at the right if there is one.
import type { ReactNode } from "react";
import styles from "./Page.module.css";

export interface PageProps {
  title: string;
  /** Small, beside the title: counts, freshness. */
  note?: ReactNode;
  actions?: ReactNode;
  drawer?: ReactNode;
  /** The content fills the page and scrolls by itself. */
  fill?: boolean;
  children: ReactNode;
}

export function Page({ title, note, actions, drawer, fill = false, children }: PageProps) {
  return (
    <div className={styles.split}>
      <div className={styles.page}>
        <header className={styles.head}>
          <h1>{title}</h1>
          {note && <div className={styles.note}>{note}</div>}
          {actions && <div className={styles.actions}>{actions}</div>}
        </header>
        <div className={fill ? styles.fill : styles.scroll}>{children}</div>
      </div>
      {drawer}
    </div>
  );
}

export function Card({ title, aside, children }: { title?: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <section className={styles.card}>
      {title && (
        <header className={styles.cardHead}>
          <h2>{title}</h2>
          {aside}
        </header>
      )}
      {children}
    </section>
  );
}
