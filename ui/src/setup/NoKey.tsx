// The data is here, the key is not: three ways on, and what each means.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { KeyRound } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { desk, type Installation } from "../api/desk";
import { Button } from "../shared/Button";
import { TextField } from "../shared/Field";
import { Frame } from "../shared/Frame";
import { useLang } from "../shared/lang";
import { problemText } from "../shared/Result";
import { Sign } from "./Hindrance";
import styles from "./Hindrance.module.css";

export interface NoKeyProps {
  installation: Installation;
  /** Enrol anew, with the old data set aside. */
  onEnrol: () => void;
}

export function NoKey({ installation, onEnrol }: NoKeyProps) {
  const { t } = useTranslation("setup");
  const lang = useLang();
  const found = installation.no_key;
  return (
    <Frame title={t("no_key.title")} over={<Sign icon={<KeyRound size={24} />} />}>
      <p>{t("no_key.text")}</p>
      {found && (
        <p className="secondary">
          {t(`no_key.looked_in.${found.looked_in}`, { place: found.place })}{" "}
          {t("no_key.why", { why: lang === "ru" ? found.why_ru : found.why_en })}
        </p>
      )}
      <div className={styles.ways}>
        <Again looked_in={found?.looked_in ?? "keyring"} />
        {found?.has_recovery_copy !== false && <Recover />}
        <section className={styles.way}>
          <h2>{t("no_key.enrol.title")}</h2>
          <p>{t("no_key.enrol.text", { dir: installation.data_dir })}</p>
          <div>
            <Button onPress={onEnrol}>{t("no_key.enrol.button")}</Button>
          </div>
        </section>
      </div>
    </Frame>
  );
}

function useShowInstallation() {
  const queries = useQueryClient();
  return (installation: Installation) => queries.setQueryData(["installation"], installation);
}

function Again({ looked_in }: { looked_in: string }) {
  const { t } = useTranslation(["setup", "common"]);
  const onSuccess = useShowInstallation();
  const again = useMutation({ mutationFn: desk.retryKey, onSuccess });
  const stillNone = again.data?.state === "no_key";
  return (
    <section className={styles.way}>
      <h2>{t(`no_key.again.title_${looked_in}`)}</h2>
      <p>{t(`no_key.again.text_${looked_in}`)}</p>
      <div className={styles.row}>
        <Button isDisabled={again.isPending} onPress={() => again.mutate()}>
          {t("no_key.again.button")}
        </Button>
        <p className="secondary" role="status">
          {again.error ? problemText(t, again.error) : stillNone && t("no_key.again.still")}
        </p>
      </div>
    </section>
  );
}

function Recover() {
  const { t } = useTranslation(["setup", "common"]);
  const onSuccess = useShowInstallation();
  const [code, setCode] = useState("");
  const recover = useMutation({ mutationFn: () => desk.recover(code.trim()), onSuccess });
  return (
    <section className={styles.way}>
      <h2>{t("no_key.recover.title")}</h2>
      <p>{t("no_key.recover.text")}</p>
      <form
        className={styles.row}
        onSubmit={(event) => {
          event.preventDefault();
          if (code.trim() !== "" && !recover.isPending) recover.mutate();
        }}
      >
        <TextField
          label={t("recovery.label")}
          value={code}
          onChange={setCode}
          autoComplete="off"
          error={recover.error ? problemText(t, recover.error) : undefined}
        />
        <Button type="submit" isDisabled={code.trim() === "" || recover.isPending}>
          {t("no_key.recover.button")}
        </Button>
      </form>
    </section>
  );
}
