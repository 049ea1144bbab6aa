// The set-up wizard: from a fresh installation to a desk that works, by keyboard alone.
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Lang } from "../api/desk";
import { useStatus } from "../api/queries";
import { Button } from "../shared/Button";
import { Choice } from "../shared/Choice";
import { Frame } from "../shared/Frame";
import { useLang } from "../shared/lang";
import { CameraStep, FolderStep } from "./Devices";
import { HubStep } from "./HubStep";
import { PersonStep } from "./PersonStep";
import { RecoveryStep } from "./RecoveryStep";
import styles from "./Setup.module.css";
import { StepActions, type StepProps } from "./StepActions";
import { isStep, NO_INPUT, nextStep, previousStep, STEPS, type Step } from "./steps";

export interface SetupProps {
  /** How far it came: kept by the world around it, so that it outlives a reload. */
  step: string | null;
  /** The old data is set aside, and the appliance enrols anew. */
  besideOld: boolean;
  /** null = done. */
  onStep: (step: Step | null) => void;
  onLang: (lang: Lang) => void;
}

export function Setup({ step: kept, besideOld, onStep, onLang }: SetupProps) {
  const { t } = useTranslation(["setup", "common"]);
  const queries = useQueryClient();
  const step: Step = isStep(kept) ? kept : besideOld ? "hub" : "language";
  const [input, setInput] = useState(NO_INPUT);
  const [recoveryCode, setRecoveryCode] = useState<string | null>(null);
  const [moved, setMoved] = useState<string | null>(null);
  const back = previousStep(step);
  const props: StepProps = {
    onNext: () => onStep(nextStep(step, false)),
    onBack: back && (() => onStep(back)),
  };

  const steps: Record<Step, () => React.ReactNode> = {
    language: () => <LanguageStep {...props} onLang={onLang} />,
    hub: () => (
      <HubStep
        {...props}
        input={input}
        onInput={setInput}
        besideOld={besideOld}
        onEnrolled={(enrolled) => {
          setRecoveryCode(enrolled.recovery_code ?? null);
          setMoved(enrolled.moved ?? null);
          onStep(nextStep("hub", enrolled.recovery_code != null));
          for (const key of ["installation", "session", "status"])
            void queries.invalidateQueries({ queryKey: [key] });
        }}
      />
    ),
    recovery: () => (
      <RecoveryStep {...props} code={recoveryCode} name={input.name} onCode={setRecoveryCode} />
    ),
    camera: () => <CameraStep {...props} />,
    folder: () => <FolderStep {...props} />,
    person: () => <PersonStep {...props} />,
    done: () => <DoneStep moved={moved} onDone={() => onStep(null)} />,
  };
  return (
    <Frame title={t(`${step}.title`)} over={<Progress step={step} />}>
      <div key={step} className={styles.step}>
        {steps[step]()}
      </div>
    </Frame>
  );
}

function Progress({ step }: { step: Step }) {
  const { t } = useTranslation("setup");
  const at = STEPS.indexOf(step);
  return (
    <div className={styles.progress}>
      <span className="secondary">{t("step_of", { number: at + 1, of: STEPS.length })}</span>
      <span className={styles.bars} aria-hidden="true">
        {STEPS.map((one, index) => (
          <span key={one} className={index <= at ? styles.done : ""} />
        ))}
      </span>
    </div>
  );
}

function LanguageStep({ onNext, onLang }: StepProps & { onLang: (lang: Lang) => void }) {
  const { t } = useTranslation("setup");
  const lang = useLang();
  return (
    <form
      className={styles.step}
      onSubmit={(event) => {
        event.preventDefault();
        onNext();
      }}
    >
      <p>{t("language.text")}</p>
      <Choice<Lang>
        label={t("language.label")}
        value={lang}
        onChange={onLang}
        choices={[
          { id: "ru", name: "Русский" },
          { id: "en", name: "English" },
        ]}
      />
      <StepActions onBack={undefined}>
        <Button type="submit" tone="primary" autoFocus>
          {t("next")}
        </Button>
      </StepActions>
    </form>
  );
}

function DoneStep({ moved, onDone }: { moved: string | null; onDone: () => void }) {
  const { t } = useTranslation("setup");
  const status = useStatus().data;
  const parks = status?.parks.map((park) => park.name).join(", ");
  return (
    <>
      <p>{t("done.text")}</p>
      {parks && <p className="secondary">{t("done.parks", { parks })}</p>}
      {moved && <p className="secondary">{t("done.moved", { dir: moved })}</p>}
      <StepActions onBack={undefined}>
        <Button tone="primary" autoFocus onPress={onDone}>
          {t("done.start")}
        </Button>
      </StepActions>
    </>
  );
}
