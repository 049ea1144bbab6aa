// Many rows: only those in sight are in the document. Own role=grid rows over TanStack Virtual, because ready-made tables take
// seconds to mount 100,000 rows. The grid never takes the focus by itself: a search field may drive it (`aria-activedescendant`).
import { useVirtualizer } from "@tanstack/react-virtual";
import {
  type KeyboardEvent,
  memo,
  type ReactNode,
  type RefObject,
  useEffect,
  useImperativeHandle,
  useRef,
} from "react";
import styles from "./DataGrid.module.css";
import { rowFor } from "./grid-keys";

const OVERSCAN = 8;

export interface Column<R> {
  /** Also `data-column` of its cells, for the row's layout. */
  key: string;
  label: string;
  /** The label is for screen readers only. */
  isBare?: boolean;
  cell: (row: R) => ReactNode;
}

export interface GridHandle {
  /** Acts on a key as the grid does; whether the key was one of the grid's. */
  onKey: (event: KeyboardEvent) => boolean;
}

export interface DataGridProps<R> {
  id: string;
  label: string;
  columns: readonly Column<R>[];
  rows: readonly R[];
  rowId: (row: R) => string;
  rowHeight: number;
  /** All rows there are, known or not yet read; -1 = nobody knows. */
  total: number;
  active: number;
  onActive: (index: number) => void;
  onOpen: (row: R) => void;
  /** Which rows are in sight. */
  onRange?: (first: number, last: number) => void;
  /** Layout of a row (grid-template-columns). */
  rowClass: string;
  /** Row that is open beside the grid. */
  openId?: string | undefined;
  handle?: RefObject<GridHandle | null>;
}

/** The element id of a row. */
export const gridRowId = (grid: string, index: number) => `${grid}-row-${index}`;

export function DataGrid<R>(props: DataGridProps<R>) {
  const { id, label, columns, rows, rowId, rowHeight, total, active, onActive, onOpen, onRange, openId } =
    props;
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: OVERSCAN,
    // Rows are drawn with the next frame, not inside the scroll event.
    useFlushSync: false,
  });
  const items = virtual.getVirtualItems();
  const [first, last] = [items[0]?.index ?? 0, items.at(-1)?.index ?? -1];
  useEffect(() => onRange?.(first, last), [first, last, onRange]);

  const onKey = (event: KeyboardEvent): boolean => {
    if (event.key === "Enter") {
      const row = rows[active];
      if (row === undefined) return false;
      event.preventDefault();
      onOpen(row);
      return true;
    }
    const perPage = Math.floor((scroller.current?.clientHeight ?? 0) / rowHeight);
    const next = rowFor(event.key, active, rows.length, perPage);
    if (next === undefined || event.ctrlKey || event.altKey || event.metaKey) return false;
    event.preventDefault();
    virtual.scrollToIndex(next, { align: "auto" });
    onActive(next);
    return true;
  };
  useImperativeHandle(props.handle, () => ({ onKey }));

  return (
    <div className={styles.frame}>
      <div
        id={id}
        role="grid"
        aria-label={label}
        aria-rowcount={total < 0 ? -1 : total + 1}
        aria-colcount={columns.length}
        aria-activedescendant={active >= first && active <= last ? gridRowId(id, active) : undefined}
        tabIndex={0}
        className={styles.grid}
        ref={scroller}
        onKeyDown={onKey}
        onFocus={(event) => {
          if (event.target === event.currentTarget && active < 0 && rows.length > 0) onActive(0);
        }}
      >
        <div role="rowgroup" className={styles.head}>
          <div role="row" aria-rowindex={1} className={[styles.headRow, props.rowClass].join(" ")}>
            {columns.map((column) => (
              <div key={column.key} role="columnheader" data-column={column.key}>
                {column.isBare ? <span className="visually-hidden">{column.label}</span> : column.label}
              </div>
            ))}
          </div>
        </div>
        <div role="rowgroup" className={styles.body} style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => {
            const row = rows[item.index] as R;
            return (
              <GridRow
                key={rowId(row)}
                id={gridRowId(id, item.index)}
                index={item.index}
                top={item.start}
                height={rowHeight}
                row={row}
                columns={columns as readonly Column<unknown>[]}
                rowClass={props.rowClass}
                isActive={item.index === active}
                isOpen={rowId(row) === openId}
                onActive={onActive}
                onOpen={onOpen as (row: unknown) => void}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}

interface GridRowProps {
  id: string;
  index: number;
  top: number;
  height: number;
  row: unknown;
  columns: readonly Column<unknown>[];
  rowClass: string;
  isActive: boolean;
  isOpen: boolean;
  onActive: (index: number) => void;
  onOpen: (row: unknown) => void;
}

const GridRow = memo(function GridRow(props: GridRowProps) {
  const { id, index, top, height, row, columns, rowClass, isActive, isOpen, onActive, onOpen } = props;
  return (
    <div
      id={id}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isOpen}
      data-active={isActive || undefined}
      className={[styles.row, rowClass].join(" ")}
      style={{ height, transform: `translateY(${top}px)` }}
      onMouseDown={(event) => event.preventDefault()}
      onClick={() => {
        onActive(index);
        onOpen(row);
      }}
    >
      {columns.map((column) => (
        <div key={column.key} role="gridcell" data-column={column.key} className={styles.cell}>
          {column.cell(row)}
        </div>
      ))}
    </div>
  );
});
