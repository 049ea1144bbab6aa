// How old the data of this device is, once it is older than a minute: beside the title of every page that shows the park's
// data. Calm: a fact, no alarm.
import { History } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useStatus } from "../api/queries";
import { DAY, dateTime, time } from "./format";
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
  const when = at && (now - at < DAY ? time(at, lang) : dateTime(at, lang, now));
  return (
    <Status tone="waiting" icon={History} bare>
      {when ? t("data_of", { at: when }) : t("data_never")}
    </Status>
  );
}
