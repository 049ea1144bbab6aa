// Keys. Every page names its keys here, so that the `?` sheet can show them and no two actions share one.
//
// Letters work in both layouts: a key is matched by its physical place (`KeyF`), not by the letter it types, because people
// at these desks type Russian.
import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Dialog } from "./Dialog";
import styles from "./shortcuts.module.css";

export interface Shortcut {
  /** `Enter`, `Space`, `KeyF`, `Slash`, `Digit1`, with `ctrl+`, `alt+`, `shift+` before it. */
  keys: string;
  /** What it does, in words. */
  label: string;
  run: () => void;
  /** Also while typing in a field. */
  whileTyping?: boolean;
  isDisabled?: boolean;
}

interface Sheets {
  register: (group: object, shortcuts: readonly Shortcut[]) => void;
  remove: (group: object) => void;
}

const Context = createContext<Sheets | undefined>(undefined);

/** Whether the event is for a field and not for a page. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

/** Whether Enter and Space belong to the element that has the focus. */
function takesKeys(target: EventTarget | null, code: string): boolean {
  if (code !== "Enter" && code !== "Space") return false;
  return (
    target instanceof HTMLElement && target.closest("button, a, [role=option], [role=menuitem]") !== null
  );
}

function keysOf(event: KeyboardEvent): string {
  const code = event.code === "NumpadEnter" ? "Enter" : event.code;
  const modifiers = [
    event.ctrlKey || event.metaKey ? "ctrl+" : "",
    event.altKey ? "alt+" : "",
    event.shiftKey ? "shift+" : "",
  ];
  return modifiers.join("") + code;
}

export function ShortcutProvider({ children }: { children: ReactNode }) {
  const { t } = useTranslation("common");
  const groups = useRef(new Map<object, readonly Shortcut[]>());
  const [isOpen, setOpen] = useState(false);
  const sheets = useMemo<Sheets>(
    () => ({
      register: (group, shortcuts) => groups.current.set(group, shortcuts),
      remove: (group) => groups.current.delete(group),
    }),
    [],
  );
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.repeat) return;
      const keys = keysOf(event);
      const typing = isTyping(event.target);
      if (keys === "shift+Slash" && !typing) {
        event.preventDefault();
        setOpen(true);
        return;
      }
      // The page that came last wins: a dialog's keys go before those of the page under it.
      for (const group of [...groups.current.values()].reverse()) {
        const found = group.find((shortcut) => shortcut.keys === keys && !shortcut.isDisabled);
        if (!found || (typing && !found.whileTyping) || takesKeys(event.target, event.code)) continue;
        event.preventDefault();
        found.run();
        return;
      }
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
  const all = isOpen ? [...groups.current.values()].flat() : [];
  return (
    <Context.Provider value={sheets}>
      {children}
      <Dialog isOpen={isOpen} onClose={() => setOpen(false)} title={t("keys.title")}>
        <ul className={styles.sheet}>
          {all.map((shortcut) => (
            <li key={shortcut.keys + shortcut.label}>
              <span>{shortcut.label}</span>
              <KeyNames keys={shortcut.keys} />
            </li>
          ))}
          <li>
            <span>{t("keys.sheet")}</span>
            <kbd>?</kbd>
          </li>
        </ul>
      </Dialog>
    </Context.Provider>
  );
}

/** Gives the page its keys while it is shown. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  const sheets = useContext(Context);
  const group = useRef({});
  useEffect(() => {
    sheets?.register(group.current, shortcuts);
  });
  useEffect(() => {
    const own = group.current;
    return () => sheets?.remove(own);
  }, [sheets]);
}

const NAMES: Record<string, string> = {
  Escape: "Esc",
  Slash: "/",
  ArrowUp: "↑",
  ArrowDown: "↓",
  ArrowLeft: "←",
  ArrowRight: "→",
};

/** A key as people read it. */
export function KeyNames({ keys }: { keys: string }) {
  const { t } = useTranslation("common");
  const parts = keys.split("+").map((part) => {
    if (part === "Space") return t("keys.space");
    if (part === "ctrl" || part === "alt" || part === "shift") return part[0]?.toUpperCase() + part.slice(1);
    return NAMES[part] ?? part.replace(/^(Key|Digit)/, "");
  });
  return (
    <span className={styles.keys}>
      {parts.map((part) => (
        <kbd key={part}>{part}</kbd>
      ))}
    </span>
  );
}
