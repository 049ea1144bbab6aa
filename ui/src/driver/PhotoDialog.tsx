// One photo large, with what is known of it.
import { useTranslation } from "react-i18next";
import type { Schemas } from "../api/client";
import { Dialog } from "../shared/Dialog";
import { bytes, dateTime } from "../shared/format";
import { useLang } from "../shared/lang";
import { Picture } from "../shared/Picture";
import { photoReason } from "../shared/photo-reason";
import { PhotoStatus, RecordStatus } from "../shared/Status";
import { Verdict } from "../shared/Verdict";
import { bestOf } from "./DriverPhotos";
import styles from "./PhotoDialog.module.css";

export interface PhotoDialogProps {
  photo: Schemas["PhotoView"] | undefined;
  name: string;
  onClose: () => void;
}

export function PhotoDialog({ photo, name, onClose }: PhotoDialogProps) {
  return (
    <Dialog isOpen={photo !== undefined} onClose={onClose} title={name} wide>
      {photo && <Facts photo={photo} name={name} />}
    </Dialog>
  );
}

function Facts({ photo, name }: { photo: Schemas["PhotoView"]; name: string }) {
  const lang = useLang();
  const { t } = useTranslation("driver");
  const files = photo.files.map((file) => {
    const place = file.stored ? t("file.stored") : t("file.here");
    return `${t(`file.${file.class}`, { defaultValue: file.class })}: ${bytes(file.size_bytes, lang)}, ${place}`;
  });
  return (
    <div className={styles.photo}>
      <Picture path={bestOf(photo)} alt={t("photos.of", { name })} name={name} />
      <div className={styles.facts}>
        <div className={styles.states}>
          <PhotoStatus status={photo.status} />
          <RecordStatus state={photo.state} />
        </div>
        {photo.reason && <p>{photoReason(t, photo.reason)}</p>}
        {photo.nearest && <Verdict likely={photo.nearest} />}
        {photo.findings.length > 0 && (
          <ul className={styles.findings}>
            {photo.findings.map((finding) => (
              <li key={finding.code}>{lang === "ru" ? finding.advice_ru : finding.advice_en}</li>
            ))}
          </ul>
        )}
        {photo.override_reason && <p>{t("photos.override", { reason: photo.override_reason })}</p>}
        <p className="secondary">
          {dateTime(photo.captured_at_ms, lang)}
          {photo.original_size && ` · ${photo.original_size.width} × ${photo.original_size.height}`}
        </p>
        <ul className="secondary">
          {files.map((file) => (
            <li key={file}>{file}</li>
          ))}
        </ul>
      </div>
    </div>
  );
}
