// The folder whose new files are taken by themselves.
import { FolderOpen } from "lucide-react";
import { useTranslation } from "react-i18next";
import { chooseFolder, isWindow } from "../api/transport";
import { Button } from "../shared/Button";
import { TextField } from "../shared/Field";
import styles from "./FolderChoice.module.css";

export interface FolderChoiceProps {
  value: string;
  onChange: (folder: string) => void;
  error: string | undefined;
  autoFocus?: boolean;
}

export function FolderChoice({ value, onChange, error, autoFocus = false }: FolderChoiceProps) {
  const { t } = useTranslation("settings");
  const choose = () =>
    void chooseFolder(t("folder.choose_title")).then((folder) => folder !== null && onChange(folder));
  return (
    <div className={styles.choice}>
      <TextField
        label={t("folder.label")}
        help={t("folder.help")}
        placeholder={t("folder.placeholder")}
        value={value}
        onChange={onChange}
        error={error}
        autoFocus={autoFocus}
        autoComplete="off"
      />
      {isWindow && (
        <Button className={styles.button ?? ""} onPress={choose}>
          <FolderOpen size={16} aria-hidden="true" />
          {t("folder.choose")}
        </Button>
      )}
    </div>
  );
}
