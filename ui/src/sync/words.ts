// Commands, fields and values of the wire as people read them.
import { useTranslation } from "react-i18next";
import { dateTime, phone, plate } from "../shared/format";
import { useLang } from "../shared/lang";

export function useKindName(): (kind: string | null | undefined) => string {
  const { t } = useTranslation("sync");
  return (kind) => t(`kind.${(kind ?? "other").replaceAll(".", "_")}`, { defaultValue: t("kind.other") });
}

export function useFieldName(): (field: string) => string {
  const { t } = useTranslation("sync");
  return (field) => t(`field.${field.replaceAll(".", "_")}`, { defaultValue: field.replaceAll("_", " ") });
}

/** A value in words: phones and plates grouped, dates said, a licence in one line. */
export function useValueText(): (field: string, value: unknown) => string {
  const { t } = useTranslation(["sync", "common"]);
  const lang = useLang();
  const date = (iso: string) =>
    new Date(`${iso}T00:00`).toLocaleDateString(lang === "ru" ? "ru-RU" : "en-GB", {
      day: "numeric",
      month: "short",
      year: "numeric",
    });
  const text = (field: string, value: unknown): string => {
    if (value === null || value === undefined || value === "") return t("value.none");
    if (Array.isArray(value))
      return value.length ? value.map((one) => text(field, one)).join(", ") : t("value.none");
    if (typeof value === "boolean") return t(value ? "value.yes" : "value.no");
    if (typeof value === "number") return field.endsWith("_ms") ? dateTime(value, lang) : String(value);
    if (typeof value === "string") {
      if (field.startsWith("phones")) return phone(value);
      if (field === "plate") return plate(value);
      if (/^\d{4}-\d\d-\d\d$/.test(value)) return date(value);
      if (field === "role") return t(`common:role.${value}`, { defaultValue: value });
      return t(`value.${field}.${value}`, { defaultValue: value });
    }
    if (typeof value === "object" && "number" in value) {
      const { number, expires_on } = value as { number: unknown; expires_on?: string | null };
      return expires_on
        ? t("value.licence_until", { number: String(number), date: date(expires_on) })
        : String(number);
    }
    return t("value.changed");
  };
  return text;
}
