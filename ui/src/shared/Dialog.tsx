// Dialogs and drawers. A drawer slides in at the right and never hides the list under it; a dialog asks before something
// that cannot be undone.
import { X } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { IconButton } from "./Button";
import styles from "./Dialog.module.css";

export interface DialogProps {
  isOpen: boolean;
  onClose: () => void;
  title: string;
  children: ReactNode;
  /** The buttons, the main one last. */
  actions?: ReactNode;
  wide?: boolean;
}

export function Dialog({ isOpen, onClose, title, children, actions, wide = false }: DialogProps) {
  const { t } = useTranslation("common");
  return (
    <ModalOverlay
      isOpen={isOpen}
      onOpenChange={(open) => !open && onClose()}
      isDismissable
      className={styles.overlay}
    >
      <Modal className={[styles.modal, wide ? styles.wide : ""].join(" ")}>
        <AriaDialog className={styles.dialog}>
          <header className={styles.head}>
            <Heading slot="title" level={2}>
              {title}
            </Heading>
            <IconButton size="small" label={t("close")} onPress={onClose}>
              <X size={18} />
            </IconButton>
          </header>
          <div className={styles.body}>{children}</div>
          {actions && <footer className={styles.actions}>{actions}</footer>}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

export interface DrawerProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
  /** Beside the title: states, small actions. */
  aside?: ReactNode;
  /** Takes the focus when it opens and gives it back when it closes. */
  takesFocus?: boolean;
}

export function Drawer({ title, onClose, children, aside, takesFocus = false }: DrawerProps) {
  const { t } = useTranslation("common");
  const drawer = useRef<HTMLElement>(null);
  useEffect(() => {
    if (!takesFocus) return;
    const before = document.activeElement;
    drawer.current?.focus();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, [takesFocus]);
  return (
    <aside
      ref={drawer}
      tabIndex={-1}
      className={styles.drawer}
      aria-label={title}
      onKeyDown={(event) => {
        if (event.key === "Escape" && !event.defaultPrevented) onClose();
      }}
    >
      <header className={styles.head}>
        <h2>{title}</h2>
        {aside}
        <IconButton size="small" label={t("close")} onPress={onClose}>
          <X size={18} />
        </IconButton>
      </header>
      <div className={styles.drawerBody}>{children}</div>
    </aside>
  );
}
