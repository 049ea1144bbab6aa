// The drivers: search as you type over all of them, and one of them open at the right.
import { Plus, UserRoundSearch } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useLocation, useParams, useSearchParams } from "wouter";
import type { DriverRow } from "../api/drivers";
import { Button } from "../shared/Button";
import { DataGrid, type GridHandle, gridRowId } from "../shared/DataGrid";
import { Freshness } from "../shared/Freshness";
import { count } from "../shared/format";
import { useLang } from "../shared/lang";
import { Page } from "../shared/Page";
import { Empty, Result } from "../shared/Result";
import { SearchField } from "../shared/SearchField";
import { Select } from "../shared/Select";
import { useShortcuts } from "../shared/shortcuts";
import { useDebounced } from "../shared/useDebounced";
import { columnsOf } from "./columns";
import { DriverDrawer } from "./DriverDrawer";
import styles from "./DriversPage.module.css";
import { NewDriver } from "./NewDriver";
import { rowKey } from "./pages";
import { useDriverList } from "./useDriverList";
import { useParks } from "./useParks";

const GRID = "drivers";
const ROW_HEIGHT = 52;
const SETTLE_MS = 50;

export const driverAddress = (of: { park: string; id: string }) =>
  `/drivers/${encodeURIComponent(of.park)}/${encodeURIComponent(of.id)}`;

export default function DriversPage() {
  const lang = useLang();
  const { t } = useTranslation("driver");
  const [, go] = useLocation();
  const opened = useParams<{ park?: string; driver?: string }>();
  const [params, setParams] = useSearchParams();
  const [text, setText] = useState(params.get("text") ?? "");
  const [park, setPark] = useState("");
  const [active, setActive] = useState(0);
  const settled = useDebounced(text.trim(), SETTLE_MS);
  const parks = useParks();
  const list = useDriverList({ text: settled, park: park || undefined });
  const field = useRef<HTMLInputElement>(null);
  const grid = useRef<GridHandle>(null);
  const isNew = params.has("new");

  // An open driver has the keys; else the search.
  const hasDrawer = useRef(opened.driver !== undefined);
  useEffect(() => {
    if (!hasDrawer.current) field.current?.focus();
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another search begins at its first row
  useEffect(() => setActive(0), [settled, park]);

  const keep = settled === "" ? "" : `?text=${encodeURIComponent(settled)}`;
  const open = useCallback((row: DriverRow) => go(driverAddress(row) + keep), [go, keep]);
  const close = () => {
    go(`/drivers${keep}`);
    field.current?.focus();
  };
  const search = () => {
    field.current?.focus();
    field.current?.select();
  };
  const add = () =>
    setParams((now) => {
      const next = new URLSearchParams(now);
      next.set("new", "");
      return next;
    });
  const stopAdding = () =>
    setParams((now) => {
      const next = new URLSearchParams(now);
      next.delete("new");
      return next;
    });
  useShortcuts([
    { keys: "Slash", label: t("keys.search"), run: search },
    { keys: "KeyA", label: t("keys.add"), run: add },
  ]);
  const columns = useMemo(() => columnsOf(t), [t]);
  const isOpen = opened.park !== undefined && opened.driver !== undefined;
  const total =
    list.query.data && list.total >= 0
      ? t("count", { count: list.total, shown: count(list.total, lang) })
      : undefined;

  return (
    <Page
      title={t("title")}
      note={
        <>
          {total && <span aria-live="polite">{total}</span>}
          <Freshness />
        </>
      }
      fill
      actions={
        <Button onPress={add} hint="A">
          <Plus size={16} aria-hidden="true" />
          {t("add")}
        </Button>
      }
      drawer={
        isOpen && (
          <DriverDrawer
            key={`${opened.park}/${opened.driver}`}
            park={opened.park ?? ""}
            driver={opened.driver ?? ""}
            onClose={close}
          />
        )
      }
    >
      <div className={styles.tools}>
        <SearchField
          label={t("search.label")}
          placeholder={t("search.placeholder")}
          value={text}
          onChange={setText}
          onKeyDown={(event) => {
            // Home and End belong to the text while there is some.
            if ((event.key === "Home" || event.key === "End") && text !== "") return;
            grid.current?.onKey(event);
          }}
          controls={GRID}
          popup="grid"
          active={list.rows.length > active ? gridRowId(GRID, active) : undefined}
          field={field}
        />
        {parks.length > 1 && (
          <Select
            isBare
            label={t("park")}
            value={park}
            onChange={setPark}
            choices={[
              { id: "", name: t("all_parks") },
              ...parks.map((one) => ({ id: one.id, name: one.name })),
            ]}
          />
        )}
      </div>
      <Result query={list.query} skeleton={<div className={styles.blank} />}>
        {() =>
          list.rows.length === 0 && !list.isOld ? (
            <NoDrivers text={settled} onAdd={add} />
          ) : (
            <DataGrid
              id={GRID}
              label={t("title")}
              columns={columns}
              rows={list.rows}
              rowId={rowKey}
              rowHeight={ROW_HEIGHT}
              total={list.total}
              active={Math.min(active, list.rows.length - 1)}
              onActive={setActive}
              onOpen={open}
              onRange={list.onRange}
              rowClass={styles.row ?? ""}
              openId={isOpen ? `${opened.park}/${opened.driver}` : undefined}
              handle={grid}
            />
          )
        }
      </Result>
      <NewDriver
        isOpen={isNew}
        typed={settled}
        onClose={stopAdding}
        onMade={(made) => go(driverAddress(made))}
      />
    </Page>
  );
}

function NoDrivers({ text, onAdd }: { text: string; onAdd: () => void }) {
  const { t } = useTranslation("driver");
  return (
    <Empty
      icon={<UserRoundSearch size={24} />}
      title={text === "" ? t("none.title") : t("none.found", { text })}
    >
      <p>{text === "" ? t("none.text") : t("none.other")}</p>
      <Button tone="primary" onPress={onAdd}>
        <Plus size={16} aria-hidden="true" />
        {t("add")}
      </Button>
    </Empty>
  );
}
