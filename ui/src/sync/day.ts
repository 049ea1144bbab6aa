// The day of the exchange as the chart and its table need it.
import type { DayPoint } from "../api/desk";

export interface DaySums {
  waiting: number;
  sent: number;
  received: number;
  problems: number;
}

/** What waits now, and the sums of the day. */
export function sums(points: readonly DayPoint[]): DaySums {
  const sum = (of: (point: DayPoint) => number) => points.reduce((all, point) => all + of(point), 0);
  return {
    waiting: points.at(-1)?.waiting ?? 0,
    sent: sum((point) => point.sent),
    received: sum((point) => point.received),
    problems: sum((point) => point.problems),
  };
}

export interface HourRow extends DaySums {
  at_ms: number;
}

/** One row an hour: the most that waited, and what was done in it. */
export function hours(points: readonly DayPoint[]): HourRow[] {
  const rows: HourRow[] = [];
  for (const point of points) {
    const hour = new Date(point.at_ms);
    hour.setMinutes(0, 0, 0);
    const at_ms = hour.getTime();
    const last = rows.at(-1);
    const { waiting, sent, received, problems } = point;
    if (last?.at_ms !== at_ms) rows.push({ at_ms, waiting, sent, received, problems });
    else {
      last.waiting = Math.max(last.waiting, waiting);
      last.sent += sent;
      last.received += received;
      last.problems += problems;
    }
  }
  return rows;
}
