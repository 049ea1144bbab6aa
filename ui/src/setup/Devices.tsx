// The camera and the watched folder; both can be chosen later in the settings.
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { asProblem } from "../api/problem";
import { useSaveSettings, useSettings } from "../api/queries";
import { CameraChoice } from "../settings/CameraChoice";
import { FolderChoice } from "../settings/FolderChoice";
import { Button } from "../shared/Button";
import { Failure, problemText } from "../shared/Result";
import styles from "./Setup.module.css";
import { StepActions, type StepProps } from "./StepActions";

export function CameraStep({ onNext, onBack }: StepProps) {
  const { t } = useTranslation("setup");
  const settings = useSettings().data;
  const save = useSaveSettings();
  return (
    <>
      <p>{t("camera.text")}</p>
      <CameraChoice
        value={settings?.camera ?? null}
        mirror={settings?.mirror ?? true}
        onChange={(camera) => save.mutate({ camera })}
      />
      {save.error && <Failure error={save.error} />}
      <StepActions onBack={onBack}>
        <Button tone="primary" autoFocus onPress={onNext}>
          {t("next")}
        </Button>
      </StepActions>
    </>
  );
}

export function FolderStep({ onNext, onBack }: StepProps) {
  const { t } = useTranslation(["setup", "common"]);
  const saved = useSettings().data?.watch_folder ?? "";
  const save = useSaveSettings();
  const [typed, setTyped] = useState<string>();
  const folder = typed ?? saved;
  return (
    <form
      className={styles.step}
      onSubmit={(event) => {
        event.preventDefault();
        if (folder.trim() === saved) onNext();
        else save.mutate({ watch_folder: folder.trim() || null }, { onSuccess: onNext });
      }}
    >
      <p>{t("folder.text")}</p>
      <FolderChoice
        value={folder}
        autoFocus
        onChange={(value) => {
          setTyped(value);
          if (save.error) save.reset();
        }}
        error={save.error ? folderError(t, save.error) : undefined}
      />
      <StepActions onBack={onBack}>
        <Button type="submit" tone="primary" isDisabled={save.isPending}>
          {folder.trim() === "" ? t("without_folder") : t("next")}
        </Button>
      </StepActions>
    </form>
  );
}

function folderError(t: unknown, error: unknown): string {
  const isFolder = asProblem(error).detail === "watch_folder";
  return isFolder ? (t as (key: string) => string)("setup:folder.bad") : problemText(t, error);
}
