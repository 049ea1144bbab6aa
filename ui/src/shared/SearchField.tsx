// A search field that drives a grid or a list: it keeps the focus while the arrows move through what was found.
import { Search, X } from "lucide-react";
import type { KeyboardEvent, RefObject } from "react";
import { useTranslation } from "react-i18next";
import { IconButton } from "./Button";
import styles from "./SearchField.module.css";

export interface SearchFieldProps {
  label: string;
  placeholder: string;
  value: string;
  onChange: (text: string) => void;
  onKeyDown: (event: KeyboardEvent<HTMLInputElement>) => void;
  /** The id of what it searches in, and of the row or option that Enter takes. */
  controls: string;
  popup: "grid" | "listbox";
  active: string | undefined;
  field: RefObject<HTMLInputElement | null>;
  isLarge?: boolean;
}

export function SearchField(props: SearchFieldProps) {
  const { t } = useTranslation("common");
  return (
    <div className={[styles.search, props.isLarge ? styles.large : ""].join(" ")}>
      <Search size={18} aria-hidden="true" />
      <input
        ref={props.field}
        type="text"
        role="combobox"
        aria-label={props.label}
        aria-autocomplete="list"
        aria-expanded={true}
        aria-haspopup={props.popup}
        aria-controls={props.controls}
        aria-activedescendant={props.active}
        placeholder={props.placeholder}
        value={props.value}
        autoComplete="off"
        autoCorrect="off"
        spellCheck={false}
        onChange={(event) => props.onChange(event.target.value)}
        onKeyDown={props.onKeyDown}
      />
      {props.value !== "" && (
        <IconButton
          size="small"
          label={t("clear")}
          excludeFromTabOrder
          onPress={() => {
            props.onChange("");
            props.field.current?.focus();
          }}
        >
          <X size={16} />
        </IconButton>
      )}
    </div>
  );
}
