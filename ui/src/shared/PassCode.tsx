// The field for a pass code, which can be shown while nobody looks over the shoulder.
import { Eye, EyeOff } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { IconButton } from "./Button";
import { TextField, type TextFieldProps } from "./Field";
import styles from "./PassCode.module.css";

export const PASS_CODE = { least: 6, most: 64 };

export function PassCode(props: TextFieldProps) {
  const { t } = useTranslation("common");
  const [isShown, setShown] = useState(false);
  return (
    <div className={styles.field}>
      <TextField
        autoComplete="off"
        maxLength={PASS_CODE.most}
        {...props}
        type={isShown ? "text" : "password"}
      />
      <IconButton
        label={t(isShown ? "pass_code.hide" : "pass_code.show")}
        className={styles.eye ?? ""}
        onPress={() => setShown(!isShown)}
      >
        {isShown ? <EyeOff size={18} /> : <Eye size={18} />}
      </IconButton>
    </div>
  );
}
