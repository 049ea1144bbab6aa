// The hours in which the appliance may exchange: local time, windows that may run over midnight, empty = always.
import type { Hours } from "../api/desk";

const DAY_MIN = 24 * 60;
export const WEEK = [1, 2, 3, 4, 5, 6, 7] as const;

/** `9:5`, `0930`, `9` as `HH:MM`; undefined = no time of day. `24:00` is the end of the day. */
export function clock(typed: string): string | undefined {
  const text = typed.trim();
  const [, hour, minute = "0"] = /^(\d{1,2})(?:[:.\s]?(\d{1,2}))?$/.exec(text) ?? [];
  if (hour === undefined) return undefined;
  const [h, m] = [Number(hour), Number(minute)];
  if (m > 59 || h > 24 || (h === 24 && m > 0)) return undefined;
  return `${String(h).padStart(2, "0")}:${String(m).padStart(2, "0")}`;
}

export function minutes(time: string): number {
  const [hour = 0, minute = 0] = time.split(":").map(Number);
  return hour * 60 + minute;
}

/** 1 = Monday ... 7 = Sunday. */
function dayOf(date: Date): number {
  return date.getDay() === 0 ? 7 : date.getDay();
}

/** Whether `date` lies in a window; a window that ends before it begins runs into the next day. */
export function isOpen(schedule: readonly Hours[], date: Date): boolean {
  if (schedule.length === 0) return true;
  const now = date.getHours() * 60 + date.getMinutes();
  const today = dayOf(date);
  const yesterday = today === 1 ? 7 : today - 1;
  return schedule.some(({ days, from, to }) => {
    const [begin, end] = [minutes(from), minutes(to)];
    if (begin < end) return days.includes(today) && now >= begin && now < end;
    return (days.includes(today) && now >= begin) || (days.includes(yesterday) && now < end);
  });
}

/** When the next change from open to closed or back comes; undefined = never within a week. */
export function nextChange(schedule: readonly Hours[], date: Date): Date | undefined {
  const isNow = isOpen(schedule, date);
  const at = new Date(date);
  at.setSeconds(0, 0);
  for (let minute = 0; minute < 7 * DAY_MIN; minute += 1) {
    at.setMinutes(at.getMinutes() + 1);
    if (isOpen(schedule, at) !== isNow) return at;
  }
  return undefined;
}

/** Runs of days: `[1,2,3,5]` -> `[[1,3],[5,5]]`. */
export function dayRuns(days: readonly number[]): [number, number][] {
  const runs: [number, number][] = [];
  for (const day of [...new Set(days)].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last && last[1] === day - 1) last[1] = day;
    else runs.push([day, day]);
  }
  return runs;
}

export type HoursProblem = "days" | "from" | "to" | "equal";

/** What is wrong with a row of the editor. */
export function problemOf({ days, from, to }: Hours): HoursProblem | undefined {
  if (days.length === 0) return "days";
  const [begin, end] = [clock(from), clock(to)];
  if (!begin || begin === "24:00") return "from";
  if (!end) return "to";
  return begin === end ? "equal" : undefined;
}

/** The rows as they are saved; only for rows without a problem. */
export function saved(rows: readonly Hours[]): Hours[] {
  return rows.map(({ days, from, to }) => ({
    days: [...days].sort((a, b) => a - b),
    from: clock(from) ?? from,
    to: clock(to) ?? to,
  }));
}
