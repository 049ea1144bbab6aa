// A driver's photos, the latest first, each with its status in words; why one was refused stands under it.
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../api/client";
import { dateTime } from "../shared/format";
import { useLang } from "../shared/lang";
import { Picture, photoPath } from "../shared/Picture";
import { photoReason } from "../shared/photo-reason";
import { PhotoStatus, RecordStatus } from "../shared/Status";
import styles from "./DriverPhotos.module.css";
import { PhotoDialog } from "./PhotoDialog";

const FIRST = 3;

export function DriverPhotos({ photos, name }: { photos: readonly Schemas["PhotoView"][]; name: string }) {
  const lang = useLang();
  const { t } = useTranslation("driver");
  const [shown, setShown] = useState<string>();
  const [all, setAll] = useState(false);
  if (photos.length === 0) return <p className={styles.none}>{t("photos.none")}</p>;
  const rest = photos.length - FIRST;
  return (
    <>
      <ul className={styles.grid}>
        {photos.slice(0, all ? undefined : FIRST).map((photo) => (
          <li key={photo.id} className={styles.photo}>
            <button
              type="button"
              className={styles.open}
              aria-label={t("photos.open", { when: dateTime(photo.captured_at_ms, lang) })}
              onClick={() => setShown(photo.id)}
            >
              <Picture path={bestOf(photo)} alt="" name={name} />
            </button>
            <PhotoStatus status={photo.status} bare />
            {photo.reason && <p className={styles.reason}>{photoReason(t, photo.reason)}</p>}
            <span className={styles.when}>{dateTime(photo.captured_at_ms, lang)}</span>
            {photo.state !== "accepted" && <RecordStatus state={photo.state} bare />}
          </li>
        ))}
      </ul>
      {rest > 0 && !all && (
        <button type="button" className={styles.more} onClick={() => setAll(true)}>
          {t("photos.more", { count: rest })}
        </button>
      )}
      <PhotoDialog
        photo={photos.find((photo) => photo.id === shown)}
        name={name}
        onClose={() => setShown(undefined)}
      />
    </>
  );
}

/** The best file of a photo that is on this appliance. */
export function bestOf(photo: Schemas["PhotoView"]): string | undefined {
  const has = (file: string) => photo.files.some((one) => one.class === file && one.local);
  if (has("portrait")) return photoPath(photo.id, "portrait");
  if (has("thumb")) return photoPath(photo.id, "thumb");
  return has("original") ? photoPath(photo.id, "original") : undefined;
}
