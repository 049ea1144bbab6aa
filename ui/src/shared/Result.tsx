// One way to show a query: skeleton after 200 ms, error with what to do, empty, data (stale data stays while it is read again).
import type { UseQueryResult } from "@tanstack/react-query";
import { RotateCw, TriangleAlert } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { asProblem } from "../api/problem";
import { Button } from "./Button";
import styles from "./Result.module.css";

const SKELETON_AFTER_MS = 200;

export interface ResultProps<T> {
  query: Pick<UseQueryResult<T>, "data" | "error" | "isPending" | "refetch">;
  children: (data: T) => ReactNode;
  /** Shown instead of the data when there is nothing. */
  empty?: (data: T) => ReactNode | undefined;
  skeleton?: ReactNode;
}

export function Result<T>({ query, children, empty, skeleton }: ResultProps<T>) {
  if (query.data !== undefined) return <>{empty?.(query.data) ?? children(query.data)}</>;
  if (query.error) return <Failure error={query.error} onRetry={() => void query.refetch()} />;
  return <Late after={SKELETON_AFTER_MS}>{skeleton ?? <Skeleton lines={4} />}</Late>;
}

export function Late({ after, children }: { after: number; children: ReactNode }) {
  const [due, setDue] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setDue(true), after);
    return () => clearTimeout(timer);
  }, [after]);
  return due ? children : null;
}

export function Skeleton({ lines = 3, height = 16 }: { lines?: number; height?: number }) {
  const { t } = useTranslation("common");
  return (
    <div className={styles.skeleton} role="status" aria-label={t("loading")}>
      {Array.from({ length: lines }, (_, line) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: bars have no identity
        <span key={line} style={{ height, width: `${92 - ((line * 17) % 38)}%` }} />
      ))}
    </div>
  );
}

/** What happened, what it means, what to do, a code to quote. */
export function Failure({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { t } = useTranslation("common");
  const problem = asProblem(error);
  const code = problem.detail ? `${problem.code} · ${problem.detail}` : problem.code;
  return (
    <div className={styles.failure} role="alert">
      <TriangleAlert size={20} aria-hidden="true" />
      <div>
        <p className={styles.what}>{problemText(t, problem)}</p>
        <p className="secondary">{t("problem.quote", { code })}</p>
      </div>
      {onRetry && (
        <Button size="small" onPress={onRetry}>
          <RotateCw size={14} aria-hidden="true" />
          {t("retry")}
        </Button>
      )}
    </div>
  );
}

type Translate = (key: string, options?: Record<string, unknown>) => string;

/** The reader's words for a problem: by detail if there are some, else by code. */
export function problemText(t: unknown, error: unknown): string {
  const say = t as Translate;
  const { code, detail, message } = asProblem(error);
  const known = (key: string) => say(key, { ns: "common", defaultValue: "" });
  return (detail && known(`problem.${code}_detail.${detail}`)) || known(`problem.${code}`) || message;
}

export function Empty({ icon, title, children }: { icon?: ReactNode; title: string; children?: ReactNode }) {
  return (
    <div className={styles.empty}>
      {icon && (
        <span className={styles.emptyIcon} aria-hidden="true">
          {icon}
        </span>
      )}
      <h2>{title}</h2>
      {children && <div className={styles.emptyText}>{children}</div>}
    </div>
  );
}
