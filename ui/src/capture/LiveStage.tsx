// The live picture: oval, face, a ring that fills as the sitter gets ready, one steady line of advice.
import { Camera as CameraIcon, CameraOff, Check, LoaderCircle, MoveRight, RotateCw } from "lucide-react";
import { type RefObject, useEffect, useRef, useState } from "react";
import { createPortal } from "react-dom";
import { useTranslation } from "react-i18next";
import type { Lang } from "../api/desk";
import type { Live } from "../api/pictures";
import { Button } from "../shared/Button";
import type { Camera } from "../shared/camera";
import { useLang } from "../shared/lang";
import { Empty } from "../shared/Result";
import { useToasts } from "../shared/Toast";
import styles from "./LiveStage.module.css";
import { ARMED, HOLD_MS, look as lookAtShutter, READY, type Shutter } from "./shutter";
import { type Look, useLive } from "./useLive";

export interface LiveStageProps {
  camera: Camera;
  video: RefObject<HTMLVideoElement | null>;
  /** A driver is chosen: frames are looked at. */
  isOn: boolean;
  isMirrored: boolean;
  isAutomatic: boolean;
  onShoot: () => void;
  /** Stops the automatic shutter until the next driver. */
  isHeld: boolean;
  /** Said under the picture while no driver is chosen. */
  idle: string | undefined;
  onPickFile: () => void;
}

export function LiveStage(props: LiveStageProps) {
  const { camera, video, isOn, isMirrored } = props;
  const [ratio, setRatio] = useState(16 / 9);
  const [over, setOver] = useState<HTMLElement | null>(null);
  useEffect(() => {
    if (video.current && video.current.srcObject !== (camera.stream ?? null)) {
      video.current.srcObject = camera.stream ?? null;
    }
  }, [camera.stream, video]);
  if (camera.state !== "on") return <NoCamera camera={camera} onPickFile={props.onPickFile} />;
  return (
    <div className={styles.stage}>
      <div className={styles.frame} style={{ "--ratio": ratio } as React.CSSProperties}>
        <video
          ref={(element) => {
            video.current = element;
            if (element && camera.stream && element.srcObject !== camera.stream)
              element.srcObject = camera.stream;
          }}
          className={isMirrored ? styles.mirrored : ""}
          autoPlay
          playsInline
          muted
          onLoadedMetadata={(event) => {
            const { videoWidth, videoHeight } = event.currentTarget;
            if (videoHeight > 0) setRatio(videoWidth / videoHeight);
          }}
        />
        <div ref={setOver} className={styles.over} />
      </div>
      {isOn ? (
        <Looking {...props} ratio={ratio} over={over} />
      ) : (
        props.idle && <p className={styles.advice}>{props.idle}</p>
      )}
    </div>
  );
}

/** What is drawn over the picture while frames are looked at. */
function Looking(props: LiveStageProps & { ratio: number; over: HTMLElement | null }) {
  const lang = useLang();
  const { video, isMirrored, isAutomatic, isHeld, onShoot, ratio } = props;
  const { t } = useTranslation("capture");
  const { say } = useToasts();
  const [shutter, setShutter] = useState<Shutter>(ARMED);
  const armed = useRef<Shutter>(ARMED);
  useEffect(() => {
    armed.current = isHeld ? { is: "stopped" } : ARMED;
    setShutter(armed.current);
  }, [isHeld]);
  const onLook = ({ live, at }: Look) => {
    if (!isAutomatic) return;
    const next = lookAtShutter(armed.current, live, at);
    armed.current = next.shutter;
    setShutter(next.shutter);
    if (next.fires) onShoot();
  };
  const { look, isFailing } = useLive(video, true, onLook);
  // The appliance keeps its line still by itself: it changes only when another one has lasted.
  const live = look?.live;
  const line = live ? lineOf(live, lang) : undefined;
  const said = isFailing ? t("live.failing") : live ? (line ?? t("live.ready")) : t("live.starting");
  useEffect(() => say(said), [said, say]);
  const isCounting = isAutomatic && shutter.is === "counting";
  const isReady = live !== undefined && !live.advice;
  return (
    <>
      {props.over &&
        createPortal(
          <Guide
            ratio={ratio}
            face={live?.face ?? null}
            readiness={live?.readiness ?? 0}
            isReady={(live?.readiness ?? 0) >= READY && live?.level !== "fail"}
            isMirrored={isMirrored}
          />,
          props.over,
        )}
      <meter
        className="visually-hidden"
        aria-label={t("live.readiness")}
        min={0}
        max={100}
        value={live?.readiness ?? 0}
      />
      <p className={styles.advice} data-ready={isReady || undefined}>
        {isReady ? (
          <Check size={20} aria-hidden="true" />
        ) : !live ? (
          <LoaderCircle size={20} aria-hidden="true" />
        ) : (
          <MoveRight size={20} aria-hidden="true" />
        )}
        <span>{isCounting ? t("live.counting") : said}</span>
        {isCounting && <i className={styles.count} style={{ animationDuration: `${HOLD_MS}ms` }} />}
      </p>
    </>
  );
}

/** The advice of a look in the reader's language; undefined = there is nothing to mend. */
function lineOf(live: Live, lang: Lang): string | undefined {
  if (!live.advice) return undefined;
  return (lang === "ru" ? live.advice_ru : live.advice_en) ?? live.advice;
}

interface GuideProps {
  ratio: number;
  face: { x: number; y: number; w: number; h: number } | null;
  readiness: number;
  isReady: boolean;
  isMirrored: boolean;
}

/** Height of the drawing; its width follows the camera. */
const HIGH = 1000;

export function Guide({ ratio, face, readiness, isReady, isMirrored }: GuideProps) {
  const wide = HIGH * ratio;
  const [cx, cy, rx, ry] = [wide / 2, HIGH * 0.46, HIGH * 0.255, HIGH * 0.345];
  const oval = `M ${cx} ${cy - ry} a ${rx} ${ry} 0 1 1 0 ${2 * ry} a ${rx} ${ry} 0 1 1 0 ${-2 * ry} z`;
  return (
    <svg
      className={[styles.guide, isMirrored ? styles.mirrored : ""].join(" ")}
      viewBox={`0 0 ${wide} ${HIGH}`}
      aria-hidden="true"
    >
      <path className={styles.around} fillRule="evenodd" d={`M 0 0 H ${wide} V ${HIGH} H 0 Z ${oval}`} />
      <path className={styles.oval} d={oval} />
      <path
        className={styles.ring}
        data-ready={isReady || undefined}
        d={oval}
        pathLength={100}
        strokeDasharray={`${Math.max(0, Math.min(100, readiness))} 100`}
      />
      {face && (
        <rect
          className={styles.face}
          x={face.x * wide}
          y={face.y * HIGH}
          width={face.w * wide}
          height={face.h * HIGH}
          rx={12}
        />
      )}
    </svg>
  );
}

function NoCamera({ camera, onPickFile }: { camera: Camera; onPickFile: () => void }) {
  const { t } = useTranslation("capture");
  if (camera.state === "asking" || camera.state === "off") {
    return (
      <div className={styles.none}>
        <p className="secondary">{t("camera.asking")}</p>
      </div>
    );
  }
  return (
    <div className={styles.none}>
      <Empty icon={<CameraOff size={24} />} title={t(`camera.${camera.state}.title`)}>
        <p>{t(`camera.${camera.state}.text`)}</p>
        <div className={styles.actions}>
          <Button onPress={camera.retry}>
            <RotateCw size={16} aria-hidden="true" />
            {t("camera.retry")}
          </Button>
          <Button onPress={onPickFile} hint="O">
            <CameraIcon size={16} aria-hidden="true" />
            {t("camera.file")}
          </Button>
        </div>
      </Empty>
    </div>
  );
}
