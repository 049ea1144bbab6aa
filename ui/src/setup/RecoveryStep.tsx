// The recovery code, shown once: printed or written down, and confirmed.
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { desk } from "../api/desk";
import { RecoverySheet } from "../settings/RecoverySheet";
import { Button } from "../shared/Button";
import { Tick } from "../shared/Field";
import { Failure } from "../shared/Result";
import { StepActions, type StepProps } from "./StepActions";

export interface RecoveryStepProps extends StepProps {
  /** null after a reload: it is shown only once, so a new one is made. */
  code: string | null;
  name: string;
  onCode: (code: string) => void;
}

export function RecoveryStep({ code, name, onCode, onNext, onBack }: RecoveryStepProps) {
  const { t } = useTranslation("setup");
  const [isKept, setKept] = useState(false);
  const renew = useMutation({
    mutationFn: desk.newRecoveryCode,
    onSuccess: ({ recovery_code }) => onCode(recovery_code),
  });
  return (
    <>
      <p>{t("recovery.text")}</p>
      {code ? (
        <RecoverySheet code={code} name={name} />
      ) : (
        <>
          <p>{t("recovery.gone")}</p>
          {renew.error && <Failure error={renew.error} />}
          <div>
            <Button isDisabled={renew.isPending} onPress={() => renew.mutate()}>
              {t("recovery.renew")}
            </Button>
          </div>
        </>
      )}
      {code && (
        <Tick isSelected={isKept} onChange={setKept}>
          {t("recovery.kept")}
        </Tick>
      )}
      <StepActions onBack={onBack}>
        <Button tone="primary" isDisabled={!isKept} onPress={onNext}>
          {t("next")}
        </Button>
      </StepActions>
    </>
  );
}
