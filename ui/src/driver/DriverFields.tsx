// The fields of a driver, each changed in its place.
import { type RefObject, useImperativeHandle, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Lang } from "../api/desk";
import type { Driver } from "../api/drivers";
import { phone, plate } from "../shared/format";
import { useLang } from "../shared/lang";
import styles from "./DriverFields.module.css";
import { EditField } from "./EditField";
import { editOf, FIELDS, type FieldOf, phonesEdit } from "./edit";
import { useEdit } from "./useEdit";

export interface FieldsHandle {
  /** Opens a field for typing. */
  edit: (name: string) => void;
}

export function DriverFields({ driver, handle }: { driver: Driver; handle: RefObject<FieldsHandle | null> }) {
  const { t } = useTranslation("driver");
  const lang = useLang();
  const [open, setOpen] = useState<string>();
  const edit = useEdit(driver);
  useImperativeHandle(handle, () => ({ edit: setOpen }));
  const common = (name: string) => ({
    isOpen: open === name,
    isReadOnly: driver.read_only === true,
    onOpen: () => setOpen(name),
    onClose: () => setOpen((now) => (now === name ? undefined : now)),
  });
  const save = async (field: FieldOf, typed: string): Promise<string | undefined> => {
    const checked = editOf(driver, field, typed);
    if (checked === "unchanged") return undefined;
    if ("error" in checked) return t(`error.${checked.error}`);
    await edit.mutateAsync(checked.edit);
    return undefined;
  };
  return (
    <div className={styles.fields}>
      {FIELDS.map((field) => (
        <EditField
          key={field.name}
          {...common(field.name)}
          label={t(`field.${field.name}`)}
          kind={field.kind}
          value={field.value(driver)}
          shown={textOf(field, driver, t, lang)}
          options={
            field.kind === "work_status"
              ? ["working", "not_working", "fired"].map((value) => ({
                  value,
                  label: t(`work_status.${value}`),
                }))
              : undefined
          }
          onSave={(typed) => save(field, typed)}
        />
      ))}
      <EditField
        {...common("phones")}
        label={t("field.phones")}
        kind="long"
        help={t("phones_help")}
        value={driver.phones.join("\n")}
        shown={driver.phones.map(phone).join("\n")}
        onSave={async (typed) => {
          const change = phonesEdit(
            driver.phones,
            typed.split(/[\n,;]/).map((one) => one.trim()),
          );
          if (change) await edit.mutateAsync(change);
          return undefined;
        }}
      />
    </div>
  );
}

function textOf(field: FieldOf, driver: Driver, t: (key: string) => string, lang: Lang): string {
  const value = field.value(driver);
  if (value === "") return "";
  if (field.kind === "plate") return plate(value);
  if (field.kind === "work_status") return t(`work_status.${value}`);
  if (field.kind === "date") return day(value, lang);
  return value;
}

/** `3 мар. 2019` of `2019-03-03`. */
export function day(iso: string, lang: Lang): string {
  const date = new Date(`${iso}T12:00:00`);
  if (Number.isNaN(date.getTime())) return iso;
  return date
    .toLocaleDateString(lang === "ru" ? "ru-RU" : "en-GB", {
      day: "numeric",
      month: "short",
      year: "numeric",
    })
    .replace(/\s?г\.$/, "");
}
