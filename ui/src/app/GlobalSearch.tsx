// The one search of the app: drivers, pages, commands. Ctrl+K opens it, arrows choose, Enter goes there.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Search } from "lucide-react";
import { useDeferredValue, useState } from "react";
import {
  Autocomplete,
  Button,
  Collection,
  Dialog,
  Header,
  Input,
  Menu,
  MenuItem,
  MenuSection,
  Modal,
  ModalOverlay,
  SearchField,
} from "react-aria-components";
import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import { client, type Schemas, unwrap } from "../api/client";
import { phone, plate } from "../shared/format";
import { PhotoStatus } from "../shared/Status";
import { useShortcuts } from "../shared/shortcuts";
import styles from "./GlobalSearch.module.css";
import { grouped } from "./search";
import { type Runnable, useActions } from "./useActions";

const DRIVERS_SHOWN = 8;

type Driver = Schemas["DriverHitView"];

export function GlobalSearch() {
  const { t } = useTranslation("common");
  const [isOpen, setOpen] = useState(false);
  useShortcuts([
    { keys: "ctrl+KeyK", label: t("search.label"), whileTyping: true, run: () => setOpen(true) },
  ]);
  return (
    <>
      <Button className={styles.field} onPress={() => setOpen(true)}>
        <Search size={16} aria-hidden="true" />
        <span className={styles.placeholder}>{t("search.placeholder")}</span>
        <span aria-hidden="true">
          <kbd>Ctrl K</kbd>
        </span>
      </Button>
      <ModalOverlay isOpen={isOpen} onOpenChange={setOpen} isDismissable className={styles.overlay}>
        <Modal className={styles.modal}>
          <Dialog className={styles.dialog} aria-label={t("search.label")}>
            <Palette onDone={() => setOpen(false)} />
          </Dialog>
        </Modal>
      </ModalOverlay>
    </>
  );
}

function Palette({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation("common");
  const [text, setText] = useState("");
  const [, go] = useLocation();
  const { pages, commands } = useActions();
  const { drivers, isAsking } = useDrivers(text);
  const found = grouped(text, drivers, pages, commands);
  const isEmpty = !isAsking && !found.drivers.length && !found.pages.length && !found.commands.length;

  const runs = new Map<string, () => void>();
  for (const { id, run } of [...found.pages, ...found.commands]) runs.set(id, run);
  for (const { park, id } of found.drivers) runs.set(`driver ${id}`, () => go(`/drivers/${park}/${id}`));

  return (
    <Autocomplete inputValue={text} onInputChange={setText}>
      <SearchField aria-label={t("search.label")} autoFocus className={styles.search}>
        <Search size={18} aria-hidden="true" />
        <Input placeholder={t("search.placeholder")} className={styles.input} />
      </SearchField>
      <Menu
        className={styles.menu}
        aria-label={t("search.results")}
        onAction={(key) => {
          onDone();
          runs.get(String(key))?.();
        }}
        renderEmptyState={() =>
          isEmpty ? <p className={styles.none}>{t("search.none", { text })}</p> : null
        }
      >
        <Section name={t("search.drivers")} rows={found.drivers}>
          {(driver) => <DriverRow driver={driver} />}
        </Section>
        <Section name={t("search.pages")} rows={found.pages}>
          {(page) => <ActionRow action={page} />}
        </Section>
        <Section name={t("search.commands")} rows={found.commands}>
          {(command) => <ActionRow action={command} />}
        </Section>
      </Menu>
    </Autocomplete>
  );
}

function Section<T extends object>({
  name,
  rows,
  children,
}: {
  name: string;
  rows: T[];
  children: (row: T) => React.ReactElement;
}) {
  if (rows.length === 0) return null;
  return (
    <MenuSection className={styles.section}>
      <Header className={styles.group}>{name}</Header>
      <Collection items={rows}>{children}</Collection>
    </MenuSection>
  );
}

function ActionRow({ action }: { action: Runnable }) {
  return (
    <MenuItem id={action.id} textValue={action.name} className={styles.row}>
      {action.name}
    </MenuItem>
  );
}

function DriverRow({ driver }: { driver: Driver }) {
  const facts = [driver.plate && plate(driver.plate), driver.phone && phone(driver.phone)].filter(Boolean);
  return (
    <MenuItem id={`driver ${driver.id}`} textValue={driver.name} className={styles.row}>
      <span className={styles.name}>{driver.name}</span>
      <span className={styles.facts}>{facts.join(" · ")}</span>
      <PhotoStatus status={driver.photo_status} bare />
    </MenuItem>
  );
}

function useDrivers(typed: string): { drivers: readonly Driver[]; isAsking: boolean } {
  const text = useDeferredValue(typed.trim());
  const query = useQuery({
    queryKey: ["drivers", "search", text],
    queryFn: ({ signal }) => {
      const asked = { text, limit: DRIVERS_SHOWN };
      return unwrap(client.GET("/api/v1/drivers", { params: { query: asked }, signal }));
    },
    enabled: text !== "",
    placeholderData: keepPreviousData,
  });
  return { drivers: query.data?.rows ?? [], isAsking: query.isFetching };
}
