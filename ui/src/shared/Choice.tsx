// One of a few, each with what it means.
import { Label, Radio, RadioGroup } from "react-aria-components";
import styles from "./Choice.module.css";

export interface ChoiceProps<T extends string> {
  label: string;
  /** undefined = none is chosen yet. */
  value: T | undefined;
  onChange: (value: T) => void;
  choices: readonly { id: T; name: string; help?: string }[];
  isDisabled?: boolean;
  /** Beside each other instead of under each other. */
  direction?: "row" | "column";
}

export function Choice<T extends string>({
  label,
  value,
  onChange,
  choices,
  isDisabled = false,
  direction = "column",
}: ChoiceProps<T>) {
  return (
    <RadioGroup
      className={styles.group}
      value={value ?? null}
      isDisabled={isDisabled}
      orientation={direction === "row" ? "horizontal" : "vertical"}
      onChange={(chosen) => onChange(chosen as T)}
    >
      <Label className={styles.label}>{label}</Label>
      <div className={direction === "row" ? styles.row : styles.column}>
        {choices.map(({ id, name, help }) => (
          <Radio key={id} value={id} className={styles.choice}>
            <span className={styles.dot} aria-hidden="true" />
            <span className={styles.text}>
              <span>{name}</span>
              {help && <span className={styles.help}>{help}</span>}
            </span>
          </Radio>
        ))}
      </div>
    </RadioGroup>
  );
}
