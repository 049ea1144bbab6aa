// The language of the pages, for dates and figures.
import { useTranslation } from "react-i18next";
import type { Lang } from "../api/desk";

export function useLang(): Lang {
  return useTranslation().i18n.language === "en" ? "en" : "ru";
}
