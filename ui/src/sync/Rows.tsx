// Rows of one height, of which only those in sight are drawn.
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useRef } from "react";
import styles from "./Rows.module.css";

const ROW = 48;
const SHOWN = 7;

export interface RowsProps<T> {
  label: string;
  rows: readonly T[];
  keyOf: (row: T) => string;
  children: (row: T) => ReactNode;
}

export function Rows<T>({ label, rows, keyOf, children }: RowsProps<T>) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    initialRect: { width: 800, height: ROW * SHOWN },
    overscan: 6,
  });
  const isLong = rows.length > SHOWN;
  return (
    <div
      ref={scroller}
      className={styles.scroller}
      style={{ height: Math.min(rows.length, SHOWN + 0.5) * ROW }}
      // A list that scrolls can be scrolled by keyboard.
      {...(isLong ? { tabIndex: 0, role: "group", "aria-label": label } : {})}
    >
      <ul aria-label={label} style={{ height: virtual.getTotalSize() }} className={styles.rows}>
        {virtual.getVirtualItems().map(({ index, start, size }) => {
          const row = rows[index];
          return (
            row && (
              <li
                key={keyOf(row)}
                className={styles.row}
                style={{ height: size, transform: `translateY(${start}px)` }}
                aria-setsize={rows.length}
                aria-posinset={index + 1}
              >
                {children(row)}
              </li>
            )
          );
        })}
      </ul>
    </div>
  );
}
