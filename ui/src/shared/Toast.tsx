// Short news of what was just done, with undo for ten seconds; the one polite live region of the app, at most one message in
// two seconds for screen readers.
import { X } from "lucide-react";
import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { useTranslation } from "react-i18next";
import { Button, IconButton } from "./Button";
import styles from "./Toast.module.css";

const STAYS_MS = 10_000;
const SPEAKS_EVERY_MS = 2_000;

export interface ToastText {
  text: string;
  tone?: "good" | "bad";
  /** Undoes what the text tells; offered while the toast stays. */
  undo?: () => void | Promise<void>;
}

interface Shown extends ToastText {
  id: number;
}

interface Toasts {
  tell: (toast: ToastText) => void;
  say: (text: string) => void;
  /** Does the newest undo on offer; false if there is none. */
  undoLast: () => boolean;
}

const Context = createContext<Toasts | undefined>(undefined);

export function useToasts(): Toasts {
  const toasts = useContext(Context);
  if (!toasts) throw new Error("BUG: useToasts outside of ToastProvider");
  return toasts;
}

export function ToastProvider({ children }: { children: ReactNode }) {
  const { t } = useTranslation("common");
  const [shown, setShown] = useState<Shown[]>([]);
  const [spoken, say] = useSpoken();
  const next = useRef(1);
  const live = useRef<Shown[]>([]);
  live.current = shown;

  const drop = useCallback((id: number) => setShown((all) => all.filter((toast) => toast.id !== id)), []);
  const tell = useCallback(
    (toast: ToastText) => {
      const id = next.current++;
      setShown((all) => [...all.slice(-2), { ...toast, id }]);
      say(toast.text);
      setTimeout(() => drop(id), STAYS_MS);
    },
    [drop, say],
  );
  const undo = useCallback(
    (toast: Shown) => {
      drop(toast.id);
      void Promise.resolve(toast.undo?.()).catch(() => tell({ text: t("undo_failed"), tone: "bad" }));
    },
    [drop, tell, t],
  );
  const undoLast = useCallback(() => {
    const last = live.current.findLast((toast) => toast.undo);
    if (last) undo(last);
    return last !== undefined;
  }, [undo]);
  const toasts = useMemo(() => ({ tell, say, undoLast }), [tell, say, undoLast]);

  return (
    <Context.Provider value={toasts}>
      {children}
      <section className={styles.stack} aria-label={t("messages")}>
        {shown.map((toast) => (
          <div key={toast.id} className={[styles.toast, toast.tone === "bad" ? styles.bad : ""].join(" ")}>
            <span className={styles.text}>{toast.text}</span>
            {toast.undo && (
              <Button size="small" tone="quiet" className={styles.undo} onPress={() => undo(toast)}>
                {t("undo")}
              </Button>
            )}
            <IconButton size="small" label={t("close")} onPress={() => drop(toast.id)}>
              <X size={16} />
            </IconButton>
          </div>
        ))}
      </section>
      <div className="visually-hidden" role="status" aria-live="polite">
        {spoken}
      </div>
    </Context.Provider>
  );
}

function useSpoken(): [string, (text: string) => void] {
  const [spoken, setSpoken] = useState("");
  const waiting = useRef<string | undefined>(undefined);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const say = useCallback((text: string) => {
    if (timer.current) {
      waiting.current = text;
      return;
    }
    setSpoken(text);
    const turn = () => {
      timer.current = undefined;
      if (waiting.current === undefined) return;
      setSpoken(waiting.current);
      waiting.current = undefined;
      timer.current = setTimeout(turn, SPEAKS_EVERY_MS);
    };
    timer.current = setTimeout(turn, SPEAKS_EVERY_MS);
  }, []);
  useEffect(() => () => clearTimeout(timer.current), []);
  return [spoken, say];
}
