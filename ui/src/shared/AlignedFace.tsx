// A face in a 3:4 frame with the eyes at fixed places, so that two of them can be compared at a glance.
import { useState } from "react";
import { imageUrl } from "../api/transport";
import styles from "./AlignedFace.module.css";
import { type FaceIn, placeOnEyes } from "./face";
import { initials } from "./format";

export interface AlignedFaceProps {
  /** Path of the API; undefined = there is no such picture here. */
  path: string | undefined;
  face: FaceIn;
  alt: string;
  name?: string;
  className?: string;
}

export function AlignedFace({ path, face, alt, name = "", className }: AlignedFaceProps) {
  const [failed, setFailed] = useState<string>();
  const placed = placeOnEyes(face);
  return (
    <span className={[styles.frame, className].filter(Boolean).join(" ")}>
      {path !== undefined && failed !== path ? (
        <img
          className={placed ? styles.placed : styles.whole}
          style={
            placed && {
              width: `${placed.width * 100}%`,
              transform: `translate(${placed.x * 100}%, ${placed.y * 100}%) rotate(${placed.degrees}deg)`,
            }
          }
          src={imageUrl(path)}
          alt={alt}
          decoding="async"
          onError={() => setFailed(path)}
        />
      ) : (
        <span className={styles.initials} aria-hidden="true">
          {initials(name)}
        </span>
      )}
    </span>
  );
}
