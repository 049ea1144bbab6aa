// Taking a photo of one driver: live picture, shot, check, comparison, saved. The same on the Capture page and at a driver.
import { useQuery } from "@tanstack/react-query";
import { Camera as CameraIcon, ImageUp } from "lucide-react";
import { type ReactNode, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { photosOf, shotFile } from "../api/pictures";
import { useSettings } from "../api/queries";
import { Button } from "../shared/Button";
import { useCamera } from "../shared/camera";
import { Findings, isFailed } from "../shared/Findings";
import { Failure } from "../shared/Result";
import { useShortcuts } from "../shared/shortcuts";
import { Compare, Earlier } from "./Compare";
import { CropEditor } from "./CropEditor";
import { Decide, type DecideHandle } from "./Decide";
import { draw, jpeg } from "./frame";
import { LiveStage } from "./LiveStage";
import styles from "./Studio.module.css";
import { usePictureFiles } from "./usePictureFiles";
import { type Person, type Phase, type Taken, useShot } from "./useShot";

export interface StudioProps {
  person: Person | undefined;
  /** Who it is, on top of the side. */
  head?: ReactNode;
  /** The side while no driver is chosen. */
  finder?: ReactNode;
  onSaved: (photo: string | undefined) => void;
  /** Esc while the picture is live. */
  onLeave: () => void;
  /** The shot shows another driver, who is chosen instead. */
  onOther?: (person: Person) => void;
}

const SHOT_QUALITY = 0.95;

export function Studio({ person, head, finder, onSaved, onLeave, onOther }: StudioProps) {
  const { t } = useTranslation("capture");
  const settings = useSettings().data;
  const camera = useCamera(settings?.camera ?? null);
  const video = useRef<HTMLVideoElement>(null);
  const still = useRef<HTMLCanvasElement>(null);
  const decide = useRef<DecideHandle>(null);
  const stage = useRef<HTMLDivElement>(null);
  const [isHeld, setHeld] = useState(false);
  const { phase, take, crop, retake, save, isSaving } = useShot(person, onSaved);
  const isMirrored = settings?.mirror ?? true;

  const latest = useRef<() => void>(() => undefined);
  const shootLatest = useCallback(() => latest.current(), []);
  const isLive = phase.is === "live" && person !== undefined;
  const shoot = useCallback(() => {
    const [element, canvas] = [video.current, still.current];
    if (!person || !element || !canvas) return;
    // The camera's picture comes back with each driver: a press before its first frame is not lost.
    if (!draw(element, canvas)) {
      element.addEventListener("loadeddata", shootLatest, { once: true });
      return;
    }
    const takenAt = Date.now();
    const shot = async (): Promise<Taken> => ({
      picture: await jpeg(canvas, SHOT_QUALITY),
      name: "camera.jpg",
      source: "camera",
      takenAt,
    });
    void take(shot());
  }, [person, take, shootLatest]);
  useLayoutEffect(() => {
    latest.current = () => isLive && shoot();
  });
  const files = usePictureFiles(phase.is !== "looking", (taken) => void take(taken));
  const again = () => {
    setHeld(false);
    retake();
    stage.current?.focus({ preventScroll: true });
  };
  const saveNow = (why?: string) => {
    if (person && !isSaving) void save(person, why);
  };

  // The keys of the picture work as soon as a driver is chosen, and the automatic shutter is armed anew.
  const key = person ? `${person.park}/${person.id}` : undefined;
  useEffect(() => {
    setHeld(false);
    if (key) stage.current?.focus({ preventScroll: true });
  }, [key]);

  const isPreview = phase.is === "preview";
  const needsReason = isPreview && isFailed(phase.shot.findings);
  useShortcuts([
    { keys: "Space", label: t("keys.shoot"), run: shoot, isDisabled: !isLive || camera.state !== "on" },
    {
      keys: "Enter",
      label: t("keys.save"),
      run: () => decide.current?.save(),
      isDisabled: !isPreview || !person,
    },
    { keys: "KeyR", label: t("keys.retake"), run: again, isDisabled: !isPreview && phase.is !== "failed" },
    { keys: "KeyO", label: t("keys.file"), run: files.pick, isDisabled: phase.is === "looking" },
    {
      keys: "Escape",
      label: t("keys.leave"),
      run: () => {
        if (phase.is !== "live") again();
        else if (settings?.auto_shutter && !isHeld && isLive && camera.state === "on") setHeld(true);
        else onLeave();
      },
    },
    // Told here for the sheet of keys; the rectangle itself listens, because these may be held down.
    { keys: "ArrowLeft", label: t("keys.crop_move"), run: () => undefined, isDisabled: true },
    { keys: "Equal", label: t("keys.crop_size"), run: () => undefined, isDisabled: true },
    { keys: "BracketRight", label: t("keys.crop_turn"), run: () => undefined, isDisabled: true },
  ]);

  return (
    <section className={styles.studio} aria-label={t("title")} {...files.drop}>
      <div className={styles.side}>
        {person ? (
          <>
            {head}
            <Side
              person={person}
              phase={phase}
              onOther={onOther}
              footer={
                isPreview ? (
                  <Decide
                    key={phase.shot.id}
                    needsReason={needsReason}
                    isSaving={isSaving}
                    handle={decide}
                    onSave={saveNow}
                    onRetake={again}
                  />
                ) : (
                  <div className={styles.shoot}>
                    <Button
                      size="large"
                      tone="primary"
                      hint={t("space")}
                      onPress={shoot}
                      isDisabled={!isLive || camera.state !== "on"}
                    >
                      <CameraIcon size={20} aria-hidden="true" />
                      {t("shoot")}
                    </Button>
                    <Button
                      size="large"
                      onPress={files.pick}
                      aria-label={t("from_file")}
                      isDisabled={!isLive}
                    >
                      <ImageUp size={20} aria-hidden="true" />
                    </Button>
                  </div>
                )
              }
            />
          </>
        ) : (
          finder
        )}
      </div>
      <div ref={stage} tabIndex={-1} className={styles.stage} data-dropping={files.isOver || undefined}>
        {phase.is === "preview" ? (
          <CropEditor
            key={phase.shot.id}
            path={shotFile(phase.shot.id, "original")}
            picture={phase.shot}
            crop={phase.crop}
            onChange={crop}
          />
        ) : phase.is === "failed" ? (
          <div className={styles.failed}>
            <Failure error={phase.error} onRetry={again} />
          </div>
        ) : (
          <LiveStage
            camera={camera}
            video={video}
            isOn={isLive}
            isMirrored={isMirrored}
            isAutomatic={settings?.auto_shutter ?? false}
            isHeld={isHeld}
            onShoot={shoot}
            idle={person ? undefined : t("idle")}
            onPickFile={files.pick}
          />
        )}
        <canvas
          ref={still}
          className={[styles.still, isMirrored ? styles.mirrored : ""].join(" ")}
          hidden={phase.is !== "looking" || camera.state !== "on"}
        />
        {phase.is === "looking" && (
          <p className={styles.looking} role="status">
            {t("looking")}
          </p>
        )}
        {files.isOver && <p className={styles.over}>{person ? t("drop.here") : t("drop.first")}</p>}
      </div>
      {files.input}
    </section>
  );
}

interface SideProps {
  person: Person;
  phase: Phase;
  onOther: ((person: Person) => void) | undefined;
  footer: ReactNode;
}

function Side({ person, phase, onOther, footer }: SideProps) {
  const photos = useQuery({
    queryKey: ["driver", person.id, "photos"],
    queryFn: ({ signal }) => photosOf(person.id, signal),
  });
  const earlier = photos.data ?? [];
  return (
    <>
      <div className={styles.content}>
        {phase.is === "preview" ? (
          <Compare shot={phase.shot} earlier={earlier} person={person} {...(onOther ? { onOther } : {})}>
            <Findings findings={phase.shot.findings} />
          </Compare>
        ) : (
          photos.data && <Earlier photos={earlier} name={person.name} />
        )}
      </div>
      {footer}
    </>
  );
}
