// A new recovery code; the old one is void then.
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { desk } from "../api/desk";
import { useInstallation } from "../api/queries";
import { Button } from "../shared/Button";
import { Dialog } from "../shared/Dialog";
import { Tick } from "../shared/Field";
import { Card } from "../shared/Page";
import { Failure } from "../shared/Result";
import { RecoverySheet } from "./RecoverySheet";

export function RecoveryCode() {
  const { t } = useTranslation(["settings", "common"]);
  const [isOpen, setOpen] = useState(false);
  const [isKept, setKept] = useState(false);
  const name = useInstallation().data?.device_name ?? "";
  const renew = useMutation({ mutationFn: desk.newRecoveryCode });
  const code = renew.data?.recovery_code;
  const close = () => {
    setOpen(false);
    setKept(false);
    renew.reset();
  };
  return (
    <Card title={t("recovery.title")}>
      <p>{t("recovery.text")}</p>
      <div>
        <Button onPress={() => setOpen(true)}>{t("recovery.renew")}</Button>
      </div>
      <Dialog
        isOpen={isOpen}
        onClose={() => (code && !isKept ? undefined : close())}
        title={code ? t("recovery.new_title") : t("recovery.ask_title")}
        actions={
          code ? (
            <Button tone="primary" isDisabled={!isKept} onPress={close}>
              {t("recovery.done")}
            </Button>
          ) : (
            <>
              <Button onPress={close}>{t("common:cancel")}</Button>
              <Button tone="primary" isDisabled={renew.isPending} onPress={() => renew.mutate()}>
                {t("recovery.renew")}
              </Button>
            </>
          )
        }
      >
        <p>{t(code ? "recovery.new_text" : "recovery.ask_text")}</p>
        {renew.error && <Failure error={renew.error} />}
        {code && (
          <>
            <RecoverySheet code={code} name={name} />
            <Tick isSelected={isKept} onChange={setKept}>
              {t("recovery.kept")}
            </Tick>
          </>
        )}
      </Dialog>
    </Card>
  );
}
