// Which camera, with its live picture.
import { CameraOff } from "lucide-react";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { type Camera, useCamera } from "../shared/camera";
import { Select } from "../shared/Select";
import styles from "./CameraChoice.module.css";

export interface CameraChoiceProps {
  /** null = the first one. */
  value: string | null;
  onChange: (camera: string | null) => void;
  mirror: boolean;
}

export function CameraChoice({ value, onChange, mirror }: CameraChoiceProps) {
  const { t } = useTranslation("settings");
  const camera = useCamera(value);
  const first = { id: "", name: t("camera.first") };
  const named = camera.devices
    .filter(({ deviceId }) => deviceId !== "")
    .map(({ deviceId, label }, at) => ({
      id: deviceId,
      name: label || t("camera.number", { number: at + 1 }),
    }));
  const isKnown = value === null || named.some(({ id }) => id === value);
  const missing = isKnown ? [] : [{ id: value, name: t("camera.unplugged") }];
  return (
    <div className={styles.choice}>
      <Preview camera={camera} mirror={mirror} />
      <Select
        label={t("camera.label")}
        value={value ?? ""}
        onChange={(id) => onChange(id === "" ? null : id)}
        choices={[first, ...named, ...missing]}
      />
    </div>
  );
}

function Preview({ camera, mirror }: { camera: Camera; mirror: boolean }) {
  const { t } = useTranslation("settings");
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (video.current) video.current.srcObject = camera.stream ?? null;
  }, [camera.stream]);
  return (
    <div className={styles.preview}>
      {camera.state === "on" ? (
        <video
          ref={video}
          className={mirror ? styles.mirror : ""}
          aria-label={t("camera.preview")}
          autoPlay
          muted
          playsInline
        />
      ) : (
        <div className={styles.off} role="status">
          <CameraOff size={28} aria-hidden="true" />
          <p>{t(`camera.${camera.state}`)}</p>
        </div>
      )}
    </div>
  );
}
