// Labelled inputs. Errors stand under the field they belong to and say what to do.
import { Check } from "lucide-react";
import type { ReactNode } from "react";
import {
  type TextFieldProps as AriaProps,
  Switch as AriaSwitch,
  TextField as AriaTextField,
  Checkbox,
  type CheckboxProps,
  FieldError,
  Input,
  Label,
  type SwitchProps,
  Text,
  TextArea,
} from "react-aria-components";
import styles from "./Field.module.css";

export interface TextFieldProps extends Omit<AriaProps, "children" | "className" | "style"> {
  label: string;
  /** What belongs in here. */
  help?: ReactNode;
  /** What is wrong and what to do. */
  error?: string | undefined;
  placeholder?: string;
  multiline?: boolean;
  className?: string;
}

export function TextField({
  label,
  help,
  error,
  placeholder,
  multiline,
  className,
  ...rest
}: TextFieldProps) {
  const Control = multiline ? TextArea : Input;
  return (
    <AriaTextField
      {...rest}
      isInvalid={rest.isInvalid || error !== undefined}
      className={[styles.field, className].filter(Boolean).join(" ")}
    >
      <Label className={styles.label}>{label}</Label>
      <Control className={styles.input} placeholder={placeholder ?? ""} />
      {help && !error && (
        <Text slot="description" className={styles.help}>
          {help}
        </Text>
      )}
      <FieldError className={styles.error}>{error}</FieldError>
    </AriaTextField>
  );
}

export function Switch({ children, ...rest }: SwitchProps & { children: ReactNode }) {
  return (
    <AriaSwitch {...rest} className={styles.switch}>
      <span className={styles.track} aria-hidden="true">
        <span className={styles.thumb} />
      </span>
      {children}
    </AriaSwitch>
  );
}

/** A box to tick, with the sentence that is confirmed. */
export function Tick({ children, ...rest }: CheckboxProps & { children: ReactNode }) {
  return (
    <Checkbox {...rest} className={styles.check}>
      <span className={styles.box} aria-hidden="true">
        <Check size={14} strokeWidth={3} />
      </span>
      <span>{children}</span>
    </Checkbox>
  );
}
