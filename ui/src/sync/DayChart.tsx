// One strip of the day, drawn by uPlot in the colours of the theme.
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { DayPoint } from "../api/desk";
import { time } from "../shared/format";
import { useLang } from "../shared/lang";
import styles from "./Day.module.css";

const HEIGHT = 64;
const AXIS = 24;
const HOUR_S = 3_600;
const DAY_S = 24 * HOUR_S;
const SYNC_KEY = "day";
const TONES = { waiting: "--waiting", sent: "--moderation", received: "--approved" } as const;

export interface DayChartProps {
  points: readonly DayPoint[];
  series: keyof typeof TONES;
  /** The hours under it; the strips above share them. */
  hasAxis: boolean;
}

export function DayChart({ points, series, hasAxis }: DayChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const lang = useLang();
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    let chart: uPlot | undefined;
    const draw = () => {
      chart?.destroy();
      chart = new uPlot(options(element, series, hasAxis, lang), dataOf(points, series), element);
    };
    draw();
    const resize = new ResizeObserver(() =>
      chart?.setSize({ width: element.clientWidth, height: hasAxis ? HEIGHT + AXIS : HEIGHT }),
    );
    resize.observe(element);
    window.addEventListener("themechange", draw);
    return () => {
      resize.disconnect();
      window.removeEventListener("themechange", draw);
      chart?.destroy();
    };
  }, [points, series, hasAxis, lang]);
  return (
    <div ref={box} className={[styles.canvas, hasAxis ? styles.axis : ""].join(" ")} aria-hidden="true" />
  );
}

/** x in seconds, the series, and marks at its foot where something went wrong. */
function dataOf(points: readonly DayPoint[], series: DayChartProps["series"]): uPlot.AlignedData {
  return [
    points.map((point) => point.at_ms / 1000),
    points.map((point) => point[series]),
    points.map((point) => (point.problems > 0 ? 0 : null)),
  ];
}

function options(
  element: HTMLElement,
  series: DayChartProps["series"],
  hasAxis: boolean,
  lang: "ru" | "en",
): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const font = `11px ${colour("--font")}`;
  const bars = uPlot.paths.bars?.({ size: [0.8, 6] });
  const isBars = series !== "waiting";
  return {
    width: element.clientWidth,
    height: hasAxis ? HEIGHT + AXIS : HEIGHT,
    padding: [6, 8, hasAxis ? 0 : 6, 0],
    cursor: { sync: { key: SYNC_KEY }, points: { show: false }, drag: { x: false, y: false } },
    legend: { show: false },
    scales: {
      x: { time: true, range: () => [Date.now() / 1000 - DAY_S, Date.now() / 1000] },
      y: { range: (_chart, _least, most) => [0, Math.max(4, most * 1.1)] },
    },
    axes: [
      {
        show: hasAxis,
        size: AXIS,
        font,
        stroke: colour("--text-3"),
        grid: { stroke: colour("--line"), width: 1 },
        ticks: { show: false },
        space: 56,
        // Whole hours of one day: no label comes twice, however little there is to show.
        incrs: [HOUR_S, 2 * HOUR_S, 3 * HOUR_S, 6 * HOUR_S, 12 * HOUR_S],
        values: (_chart, at) => at.map((second) => time(second * 1000, lang)),
      },
      {
        size: 34,
        font,
        stroke: colour("--text-3"),
        grid: { stroke: colour("--line"), width: 1 },
        ticks: { show: false },
        space: 24,
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 50_000, 100_000],
        values: (_chart, at) => at.map((value) => short(value, lang)),
      },
    ],
    series: [
      {},
      {
        stroke: colour(TONES[series]),
        fill: isBars ? colour(TONES[series]) : colour("--waiting-bg"),
        width: isBars ? 0 : 1.5,
        points: { show: false },
        ...(isBars && bars ? { paths: bars } : {}),
      },
      {
        stroke: colour("--error"),
        paths: () => null,
        points: { show: true, size: 7, fill: colour("--error"), stroke: colour("--surface-1"), width: 1 },
      },
    ],
  };
}

function short(value: number, lang: "ru" | "en"): string {
  return new Intl.NumberFormat(lang, { notation: "compact", maximumFractionDigits: 1 }).format(value);
}
