// The watched folder as a setting: saved by Enter or the button, with what stands in the way of it.
import { FolderOpen } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { asProblem } from "../api/problem";
import { useSaveSettings, useStatus } from "../api/queries";
import { isWindow, showFolder } from "../api/transport";
import { Button } from "../shared/Button";
import { problemText } from "../shared/Result";
import { useToasts } from "../shared/Toast";
import { FolderChoice } from "./FolderChoice";
import styles from "./FolderSetting.module.css";

export function FolderSetting({ saved }: { saved: string }) {
  const { t } = useTranslation(["settings", "common"]);
  const { tell } = useToasts();
  const [typed, setTyped] = useState<string>();
  const save = useSaveSettings();
  const watch = useStatus().data?.watch;
  const folder = typed ?? saved;
  const hindered =
    saved !== "" && watch && watch.state !== "watching" ? t(`folder.${watch.state}`) : undefined;
  const send = (watch_folder: string | null) =>
    save.mutate(
      { watch_folder },
      {
        onSuccess: () => {
          setTyped(undefined);
          tell({
            text: t(watch_folder === null ? "folder.off" : "folder.saved"),
            undo: () => save.mutateAsync({ watch_folder: saved || null }).then(() => undefined),
          });
        },
      },
    );
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (folder.trim() !== saved) send(folder.trim() || null);
      }}
    >
      <FolderChoice
        value={folder}
        onChange={(value) => {
          setTyped(value);
          if (save.error) save.reset();
        }}
        error={save.error ? folderError(t, save.error) : typed === undefined ? hindered : undefined}
      />
      <div className={styles.actions}>
        {isWindow && saved !== "" && (
          <Button
            onPress={() => void showFolder().catch(() => tell({ text: t("folder.missing"), tone: "bad" }))}
          >
            <FolderOpen size={16} aria-hidden="true" />
            {t("folder.show")}
          </Button>
        )}
        <Button type="submit" isDisabled={folder.trim() === saved || save.isPending}>
          {t("common:save")}
        </Button>
      </div>
    </form>
  );
}

function folderError(t: unknown, error: unknown): string {
  const isFolder = asProblem(error).detail === "watch_folder";
  return isFolder ? (t as (key: string) => string)("settings:folder.bad") : problemText(t, error);
}
