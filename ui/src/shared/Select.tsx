// One of a list that opens.
import { Check, ChevronDown } from "lucide-react";
import {
  Select as AriaSelect,
  Button,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  SelectValue,
} from "react-aria-components";
import fields from "./Field.module.css";
import styles from "./Select.module.css";

export interface SelectProps<T extends string> {
  label: string;
  value: T;
  onChange: (value: T) => void;
  choices: readonly { id: T; name: string }[];
  /** The label is for screen readers only. */
  isBare?: boolean;
}

export function Select<T extends string>({
  label,
  value,
  onChange,
  choices,
  isBare = false,
}: SelectProps<T>) {
  return (
    <AriaSelect
      className={fields.field ?? ""}
      value={value}
      onChange={(key) => key !== null && onChange(key as T)}
    >
      <Label className={isBare ? "visually-hidden" : (fields.label ?? "")}>{label}</Label>
      <Button className={styles.button}>
        <SelectValue className={styles.value} />
        <ChevronDown size={16} aria-hidden="true" />
      </Button>
      <Popover className={styles.popover}>
        <ListBox className={styles.list} items={choices}>
          {(choice) => (
            <ListBoxItem className={styles.row} textValue={choice.name}>
              {({ isSelected }) => (
                <>
                  <span className={styles.name}>{choice.name}</span>
                  {isSelected && <Check size={16} aria-hidden="true" />}
                </>
              )}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </AriaSelect>
  );
}
