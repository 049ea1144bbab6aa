// The shot beside earlier photos of the same driver, aligned on the eyes, with what the comparison says.
import { TriangleAlert } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../api/client";
import { type Shot, shotFile } from "../api/pictures";
import { AlignedFace } from "../shared/AlignedFace";
import { Button } from "../shared/Button";
import { eyesOf, faceInPortrait } from "../shared/face";
import { dateTime } from "../shared/format";
import { useLang } from "../shared/lang";
import { Picture, photoPath } from "../shared/Picture";
import { photoReason } from "../shared/photo-reason";
import { PhotoStatus } from "../shared/Status";
import { Verdict } from "../shared/Verdict";
import styles from "./Compare.module.css";
import type { Person } from "./useShot";

export interface CompareProps {
  shot: Shot;
  earlier: readonly Schemas["PhotoView"][];
  person: Person;
  /** The shot may show that driver instead. */
  onOther?: (driver: Person) => void;
  /** What the check says, under the verdict. */
  children: ReactNode;
}

const STRIP = 5;

export function Compare({ shot, earlier, person, onOther, children }: CompareProps) {
  const lang = useLang();
  const { t } = useTranslation("capture");
  const { name } = person;
  const [chosen, choose] = useState<string>();
  // Both were found for the driver of the shot: another one may have been chosen since.
  const nearest = earlier.some((photo) => photo.id === shot.nearest?.photo) ? shot.nearest : null;
  const other = shot.other_driver?.id === person.id ? null : shot.other_driver;
  const beside =
    earlier.find((photo) => photo.id === chosen) ??
    earlier.find((photo) => photo.id === shot.nearest?.photo) ??
    earlier[0];
  const face = { width: shot.width, height: shot.height, eyes: eyesOf(shot.faces) };
  return (
    <div className={styles.compare}>
      {other && (
        <div className={styles.other} role="alert">
          <TriangleAlert size={18} aria-hidden="true" />
          <div>
            <p>
              <strong>{t("compare.other", { name: other.name ?? t("compare.nameless") })}</strong>
            </p>
            <Verdict likely={other.likely} among />
            {onOther && (
              <Button
                size="small"
                onPress={() =>
                  onOther({ park: other.park, id: other.id, name: other.name ?? t("compare.nameless") })
                }
              >
                {t("compare.choose_them")}
              </Button>
            )}
          </div>
        </div>
      )}
      <div className={styles.pair}>
        <figure>
          <AlignedFace path={shotFile(shot.id, "original")} face={face} alt={t("compare.now")} />
          <figcaption>{t("compare.now")}</figcaption>
        </figure>
        <figure>
          {beside ? (
            <AlignedFace
              path={photoPath(beside.id, "portrait")}
              face={faceInPortrait(beside)}
              alt={t("compare.earlier")}
              name={name}
            />
          ) : (
            <span className={styles.first}>{t("compare.first")}</span>
          )}
          <figcaption>{beside ? dateTime(beside.captured_at_ms, lang) : t("compare.none")}</figcaption>
        </figure>
      </div>
      {nearest && <Verdict likely={nearest} />}
      {children}
      {earlier.length > 1 && (
        <ul className={styles.strip} aria-label={t("compare.others")}>
          {earlier.slice(0, STRIP).map((photo) => (
            <li key={photo.id}>
              <button
                type="button"
                aria-pressed={photo === beside}
                aria-label={dateTime(photo.captured_at_ms, lang)}
                onClick={() => choose(photo.id)}
              >
                <Picture path={photoPath(photo.id, "thumb")} alt="" name={name} />
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** Earlier photos while the camera is live. */
export function Earlier({ photos, name }: { photos: readonly Schemas["PhotoView"][]; name: string }) {
  const lang = useLang();
  const { t } = useTranslation("capture");
  const [latest] = photos;
  if (!latest) return <p className={styles.nothing}>{t("compare.nothing")}</p>;
  return (
    <div className={styles.earlier}>
      <Picture path={photoPath(latest.id, "portrait")} alt={t("compare.latest")} name={name} />
      <div className={styles.about}>
        <span className="secondary">{t("compare.latest")}</span>
        <span>{dateTime(latest.captured_at_ms, lang)}</span>
        <PhotoStatus status={latest.status} bare />
        {latest.reason && <p>{photoReason(t, latest.reason)}</p>}
        {photos.length > 1 && (
          <span className="secondary">{t("compare.more", { count: photos.length - 1 })}</span>
        )}
      </div>
    </div>
  );
}
