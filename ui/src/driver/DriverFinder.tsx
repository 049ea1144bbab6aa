// Finds a driver without leaving the field: type, arrows, Enter. For capture and for pictures without a driver.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type ReactNode, type RefObject, useEffect, useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { type DriverRow, listDrivers } from "../api/drivers";
import { phone, plate } from "../shared/format";
import { rowFor } from "../shared/grid-keys";
import { Picture, photoPath } from "../shared/Picture";
import { Failure } from "../shared/Result";
import { SearchField } from "../shared/SearchField";
import { PhotoStatus } from "../shared/Status";
import { useDebounced } from "../shared/useDebounced";
import styles from "./DriverFinder.module.css";
import { rowKey } from "./pages";

const SHOWN = 30;
const SETTLE_MS = 50;

export interface DriverFinderProps {
  onPick: (driver: DriverRow) => void;
  /** Esc in an empty field. */
  onLeave?: () => void;
  field?: RefObject<HTMLInputElement | null>;
  park?: string | undefined;
  /** What to offer when nobody was found. */
  none?: (text: string) => ReactNode;
}

export function DriverFinder({ onPick, onLeave, field: given, park, none }: DriverFinderProps) {
  const { t } = useTranslation("driver");
  const id = useId();
  const own = useRef<HTMLInputElement>(null);
  const field = given ?? own;
  const box = useRef<HTMLUListElement>(null);
  const [text, setText] = useState("");
  // Nobody is taken by an Enter in an empty field.
  const [moved, setActive] = useState<number>();
  /** Enter was pressed before the answer to what was typed: it takes the first driver of that answer. */
  const [isHasty, setHasty] = useState(false);
  const wanted = text.trim();
  const settled = useDebounced(wanted, SETTLE_MS);
  const query = useQuery({
    queryKey: ["drivers", "found", settled, park ?? null],
    queryFn: ({ signal }) => listDrivers({ text: settled, park }, null, SHOWN, signal),
    placeholderData: keepPreviousData,
  });
  const rows = query.data?.rows ?? [];
  const isCurrent = wanted === settled && !query.isPlaceholderData && query.data !== undefined;
  const active = moved ?? (wanted === "" ? -1 : 0);
  const optionId = (index: number) => `${id}-${index}`;
  const pick = (row: DriverRow) => {
    setText("");
    setActive(undefined);
    onPick(row);
  };
  useEffect(() => {
    box.current?.querySelector("[data-active]")?.scrollIntoView({ block: "nearest" });
  });
  useEffect(() => {
    if (!isHasty || !isCurrent) return;
    setHasty(false);
    const row = rows[0];
    if (row && wanted !== "") pick(row);
  });
  return (
    <div className={styles.finder}>
      <SearchField
        isLarge
        label={t("search.label")}
        placeholder={t("search.placeholder")}
        value={text}
        onChange={(next) => {
          setText(next);
          setActive(undefined);
          setHasty(false);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") {
            event.preventDefault();
            const row = rows[active];
            if (!isCurrent && wanted !== "") setHasty(true);
            else if (row) pick(row);
            return;
          }
          if (event.key === "Escape") {
            event.preventDefault();
            if (text === "") onLeave?.();
            setText("");
            return;
          }
          if ((event.key === "Home" || event.key === "End") && text !== "") return;
          const next = rowFor(event.key, active, rows.length, 6);
          if (next === undefined) return;
          event.preventDefault();
          setActive(next);
        }}
        controls={id}
        popup="listbox"
        active={active >= 0 && rows.length > 0 ? optionId(active) : undefined}
        field={field}
      />
      {query.error && !query.data && <Failure error={query.error} onRetry={() => void query.refetch()} />}
      {isCurrent && rows.length === 0 && (
        <div className={styles.none}>
          <p>{settled === "" ? t("none.title") : t("none.found", { text: settled })}</p>
          {none?.(settled)}
        </div>
      )}
      <ul id={id} ref={box} role="listbox" aria-label={t("title")} className={styles.list}>
        {rows.map((row, index) => (
          <li
            key={rowKey(row)}
            id={optionId(index)}
            role="option"
            aria-selected={index === active}
            data-active={index === active || undefined}
            className={styles.option}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => pick(row)}
          >
            <Picture
              className={styles.thumb ?? ""}
              path={row.photo ? photoPath(row.photo, "thumb") : undefined}
              alt=""
              name={row.name}
            />
            <span className={styles.who}>
              <span className={styles.name}>{row.name}</span>
              <span className={styles.more}>
                {[row.plate && plate(row.plate), row.phone && phone(row.phone)].filter(Boolean).join(" · ")}
              </span>
            </span>
            <PhotoStatus status={row.photo_status} bare />
          </li>
        ))}
      </ul>
    </div>
  );
}
