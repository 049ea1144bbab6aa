// The recovery code on a sheet that can be printed: the only thing that opens the data when the key is lost.
import { Printer } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "../shared/Button";
import { dateTime } from "../shared/format";
import { useLang } from "../shared/lang";
import styles from "./RecoverySheet.module.css";

export function RecoverySheet({ code, name }: { code: string; name: string }) {
  const { t } = useTranslation("settings");
  const lang = useLang();
  return (
    <div className={styles.block}>
      <div className={styles.sheet}>
        <p className={styles.printed}>{t("recovery.sheet_title", { name })}</p>
        <p className={styles.code}>
          {groups(code).map((group) => (
            <span key={group.at}>{group.text}</span>
          ))}
        </p>
        <p className={styles.printed}>{t("recovery.sheet_text")}</p>
        <p className={styles.printed}>{dateTime(Date.now(), lang, 0)}</p>
      </div>
      <Button onPress={() => window.print()}>
        <Printer size={16} aria-hidden="true" />
        {t("recovery.print")}
      </Button>
    </div>
  );
}

/** The code as it is read aloud: in its groups. */
export function groups(code: string): { at: number; text: string }[] {
  return code.split(/[\s-]+/).map((text, at) => ({ at, text }));
}
