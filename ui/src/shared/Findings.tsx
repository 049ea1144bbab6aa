// What the check says of a shot, as advice; a failed check asks for another shot or for a reason.
import { CircleAlert, CircleCheck, OctagonAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../api/client";
import styles from "./Findings.module.css";
import { useLang } from "./lang";

export function Findings({ findings }: { findings: readonly Schemas["FindingView"][] }) {
  const lang = useLang();
  const { t } = useTranslation("check");
  if (findings.length === 0) {
    return (
      <p className={styles.good}>
        <CircleCheck size={18} aria-hidden="true" />
        {t("good")}
      </p>
    );
  }
  return (
    <ul className={styles.list} aria-label={t("label")}>
      {findings.map((finding) => {
        const isFail = finding.level === "fail";
        const Icon = isFail ? OctagonAlert : CircleAlert;
        return (
          <li key={finding.code} className={isFail ? styles.fail : styles.warn}>
            <Icon size={18} role="img" aria-label={t(isFail ? "fail" : "warn")} />
            {lang === "ru" ? finding.advice_ru : finding.advice_en}
          </li>
        );
      })}
    </ul>
  );
}

export const isFailed = (findings: readonly Schemas["FindingView"][]) =>
  findings.some((finding) => finding.level === "fail");
