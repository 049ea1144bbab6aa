// Another photo of the driver who is open, without leaving the list.
import { Dialog as AriaDialog, Modal, ModalOverlay } from "react-aria-components";
import { useTranslation } from "react-i18next";
import type { Driver } from "../api/drivers";
import { Studio } from "../capture/Studio";
import styles from "./NewPhoto.module.css";
import { PersonHead } from "./PersonHead";

export function NewPhoto({
  isOpen,
  driver,
  onClose,
}: {
  isOpen: boolean;
  driver: Driver;
  onClose: () => void;
}) {
  const { t } = useTranslation("driver");
  return (
    <ModalOverlay
      isOpen={isOpen}
      onOpenChange={(open) => !open && onClose()}
      isKeyboardDismissDisabled
      className={styles.overlay ?? ""}
    >
      <Modal className={styles.modal ?? ""}>
        <AriaDialog aria-label={t("photos.new")} className={styles.dialog ?? ""}>
          <Studio
            person={driver}
            head={<PersonHead driver={driver} onClear={onClose} />}
            onSaved={onClose}
            onLeave={onClose}
          />
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}
