// How old the data of this device is, once it is older than a minute.
import { History } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useStatus } from "../api/queries";
import { ago } from "./format";
import { useLang } from "./lang";
import { useNow } from "./now";
import { Status } from "./Status";

export const FRESH_MS = 60_000;

export function Freshness() {
  const { t } = useTranslation("common");
  const lang = useLang();
  const now = useNow(10_000);
  const { data } = useStatus();
  const at = data?.link.last_contact_at_ms;
  if (!data || (at && now - at < FRESH_MS)) return null;
  return (
    <Status tone="waiting" icon={History} bare>
      {at ? t("data_of", { ago: ago(at, lang, now) }) : t("data_never")}
    </Status>
  );
}
