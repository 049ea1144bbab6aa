// Whose photo is taken: name, plate, and the way back.
import { X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { IconButton } from "../shared/Button";
import { plate } from "../shared/format";
import styles from "./PersonHead.module.css";

export interface PersonHeadProps {
  driver: { name: string; plate?: string | null; licence_number?: string | null };
  onClear: () => void;
}

export function PersonHead({ driver, onClear }: PersonHeadProps) {
  const { t } = useTranslation("common");
  const facts = [driver.plate && plate(driver.plate), driver.licence_number].filter(Boolean);
  return (
    <header className={styles.head}>
      <div>
        <h2>{driver.name}</h2>
        <p>{facts.join(" · ")}</p>
      </div>
      <IconButton size="small" label={t("close")} onPress={onClear}>
        <X size={18} />
      </IconButton>
    </header>
  );
}
