// Buttons. `primary` is the one main action of a page; everything else is quiet.
import {
  Button as AriaButton,
  type ButtonProps as AriaProps,
  composeRenderProps,
} from "react-aria-components";
import styles from "./Button.module.css";

export interface ButtonProps extends Omit<AriaProps, "style"> {
  tone?: "primary" | "plain" | "quiet" | "danger";
  size?: "normal" | "small" | "large";
  /** The key that does the same, shown on the button. */
  hint?: string;
}

export function Button({ tone = "plain", size = "normal", hint, className, children, ...rest }: ButtonProps) {
  return (
    <AriaButton
      {...rest}
      className={composeRenderProps(className, (own) =>
        [styles.button, styles[tone], styles[size], own].filter(Boolean).join(" "),
      )}
    >
      {composeRenderProps(children, (inner) => (
        <>
          {inner}
          {hint && (
            <span className={styles.hint} aria-hidden="true">
              {hint}
            </span>
          )}
        </>
      ))}
    </AriaButton>
  );
}

export interface IconButtonProps extends Omit<ButtonProps, "hint" | "children"> {
  /** What it does: its name for screen readers and its tooltip. */
  label: string;
  children: React.ReactNode;
}

export function IconButton({
  label,
  children,
  tone = "quiet",
  size = "normal",
  className,
  ...rest
}: IconButtonProps) {
  return (
    <AriaButton
      {...rest}
      aria-label={label}
      className={composeRenderProps(className, (own) =>
        [styles.button, styles[tone], styles[size], styles.icon, own].filter(Boolean).join(" "),
      )}
    >
      <span className={styles.glyph} title={label} aria-hidden="true">
        {children}
      </span>
    </AriaButton>
  );
}
