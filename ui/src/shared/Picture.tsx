// A photo at a fixed ratio, so that nothing moves while it loads; initials stand for one that is not there.
import { useState } from "react";
import { imageUrl } from "../api/transport";
import { initials } from "./format";
import styles from "./Picture.module.css";

export interface PictureProps {
  /** Path of the API, without host; undefined = there is none. */
  path: string | undefined;
  /** What it shows, for screen readers; empty if the text beside says it. */
  alt: string;
  /** Whose initials stand in for it. */
  name?: string;
  ratio?: "3 / 4" | "1 / 1" | "auto";
  className?: string;
}

export function Picture({ path, alt, name = "", ratio = "3 / 4", className }: PictureProps) {
  const [failed, setFailed] = useState<string>();
  const shows = path !== undefined && failed !== path;
  return (
    <span className={[styles.picture, className].filter(Boolean).join(" ")} style={{ aspectRatio: ratio }}>
      {shows ? (
        <img src={imageUrl(path)} alt={alt} loading="lazy" decoding="async" onError={() => setFailed(path)} />
      ) : (
        <span className={styles.initials} aria-hidden="true">
          {initials(name)}
        </span>
      )}
    </span>
  );
}

/** The address of a photo's file. */
export function photoPath(photo: string, file: "thumb" | "portrait" | "original"): string {
  return `/api/v1/photos/${photo}/files/${file}`;
}
