// The portrait's rectangle on the original: dragged, pulled at its corners, or moved by keys; its values are spoken.
import { type PointerEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { imageUrl } from "../api/transport";
import { isTyping } from "../shared/shortcuts";
import { useToasts } from "../shared/Toast";
import styles from "./CropEditor.module.css";
import {
  type Corner,
  type Crop,
  corners,
  keptView,
  keyed,
  moved,
  type Picture,
  pulled,
  spoken,
  viewOf,
} from "./crop";

const CORNERS: readonly Corner[] = ["nw", "ne", "se", "sw"];

export interface CropEditorProps {
  /** Path of the original. */
  path: string;
  picture: Picture;
  crop: Crop;
  onChange: (crop: Crop) => void;
}

export function CropEditor({ path, picture, crop, onChange }: CropEditorProps) {
  const { t } = useTranslation("capture");
  const { say } = useToasts();
  const svg = useRef<SVGSVGElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState(() => viewOf(crop, picture));
  const drag = useRef<{ corner: Corner | undefined; from: { x: number; y: number }; crop: Crop }>(undefined);
  const latest = useRef({ crop, onChange });
  latest.current = { crop, onChange };

  useEffect(() => box.current?.focus({ preventScroll: true }), []);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target))
        return;
      if (document.querySelector("[role=dialog]") && !box.current?.closest("[role=dialog]")) return;
      const next = keyed(latest.current.crop, event.code, event.shiftKey, picture);
      if (!next) return;
      event.preventDefault();
      latest.current.onChange(next);
      setView((now) => keptView(now, next, picture));
      say(t("crop.spoken", { ...spoken(next, picture) }));
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [picture, say, t]);

  const at = (event: PointerEvent) => {
    const matrix = svg.current?.getScreenCTM()?.inverse();
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix ?? undefined);
    return { x: point.x, y: point.y };
  };
  const grab = (corner?: Corner) => (event: PointerEvent) => {
    event.preventDefault();
    event.stopPropagation();
    svg.current?.setPointerCapture(event.pointerId);
    drag.current = { corner, from: at(event), crop };
  };
  const pull = (event: PointerEvent) => {
    const held = drag.current;
    if (!held) return;
    const to = at(event);
    onChange(
      held.corner
        ? pulled(held.crop, held.corner, to, picture)
        : moved(held.crop, to.x - held.from.x, to.y - held.from.y, picture),
    );
  };
  const letGo = () => {
    drag.current = undefined;
    setView((now) => keptView(now, latest.current.crop, picture));
  };

  const points = corners(crop);
  const outline = `M ${points.map(([x, y]) => `${x} ${y}`).join(" L ")} Z`;
  const size = view.h;
  const eyes = crop.y + crop.h * 0.42;
  const turn = `rotate(${crop.turn / 100} ${crop.x + crop.w / 2} ${crop.y + crop.h / 2})`;
  return (
    <div className={styles.stage}>
      {/* biome-ignore-start lint/a11y/noNoninteractiveTabindex: the rectangle is moved by keys */}
      <div
        ref={box}
        role="application"
        tabIndex={0}
        aria-label={t("crop.label")}
        aria-roledescription={t("crop.role")}
        aria-description={t("crop.help")}
        className={styles.frame}
      >
        <svg
          ref={svg}
          viewBox={`${view.x} ${view.y} ${view.w} ${view.h}`}
          aria-hidden="true"
          onPointerMove={pull}
          onPointerUp={letGo}
          onPointerCancel={letGo}
        >
          <image href={imageUrl(path)} width={picture.width} height={picture.height} />
          <path
            className={styles.around}
            fillRule="evenodd"
            d={`M 0 0 H ${picture.width} V ${picture.height} H 0 Z ${outline}`}
          />
          <path className={styles.inside} d={outline} onPointerDown={grab()} />
          <line
            className={styles.eyes}
            transform={turn}
            x1={crop.x}
            x2={crop.x + crop.w}
            y1={eyes}
            y2={eyes}
          />
          {CORNERS.map((corner, index) => {
            const [x, y] = points[index] ?? [0, 0];
            return (
              <g key={corner} className={styles[corner]} onPointerDown={grab(corner)}>
                <circle cx={x} cy={y} r={size * 0.045} className={styles.reach} />
                <circle cx={x} cy={y} r={size * 0.011} className={styles.handle} />
              </g>
            );
          })}
        </svg>
      </div>
      {/* biome-ignore-end lint/a11y/noNoninteractiveTabindex: the rectangle is moved by keys */}
    </div>
  );
}
