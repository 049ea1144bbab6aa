// Whether two faces are one person, in words, with the chance that a stranger looks as alike.
import { CircleCheck, CircleHelp, CircleX, type LucideIcon } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../api/client";
import { count } from "./format";
import { useLang } from "./lang";
import { Status, type Tone } from "./Status";
import styles from "./Verdict.module.css";

const LOOKS: Record<Schemas["Likeness"], [Tone, LucideIcon]> = {
  same: ["approved", CircleCheck],
  unsure: ["waiting", CircleHelp],
  different: ["refused", CircleX],
};

/** `same` of one driver's photos counts no strangers; among many drivers it does. */
export function Verdict({ likely, among = false }: { likely: Schemas["Likely"]; among?: boolean }) {
  const lang = useLang();
  const { t } = useTranslation("likeness");
  const [tone, icon] = LOOKS[likely.verdict];
  const chance = chanceOf(likely, among);
  return (
    <span className={styles.verdict}>
      <Status tone={tone} icon={icon}>
        {t(likely.verdict)}
      </Status>
      {chance && (
        <span className="secondary">
          {chance.strangers !== undefined
            ? t("strangers", { count: chance.strangers, shown: count(chance.strangers, lang) })
            : t("chance", { shown: count(chance.oneIn, lang) })}
        </span>
      )}
    </span>
  );
}

type Chance = { strangers: number; oneIn?: undefined } | { strangers?: undefined; oneIn: number };

/** The figure worth saying: a chance match is of interest only where there may be a match. */
export function chanceOf(likely: Schemas["Likely"], among: boolean): Chance | undefined {
  if (likely.verdict === "different") return undefined;
  const milli = likely.false_matches_milli;
  if (milli >= 1000) return among ? { strangers: Math.floor(milli / 1000) } : undefined;
  return { oneIn: Math.floor(1000 / Math.max(1, milli)) };
}
