// How figures, times, names, phones and plates are written for people (interface.md, "Words").
import type { Lang } from "../app/i18n";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
const locale = (lang: Lang) => (lang === "ru" ? "ru-RU" : "en-GB");

/** `20 нояб., 14:05`; the year only when it is another one. */
export function dateTime(ms: number, lang: Lang, now = Date.now()): string {
  const [date, today] = [new Date(ms), new Date(now)];
  const year = date.getFullYear() === today.getFullYear() ? {} : ({ year: "numeric" } as const);
  const day = date
    .toLocaleDateString(locale(lang), { day: "numeric", month: "short", ...year })
    .replace(/\s?г\.$/, "");
  return `${day}, ${time(ms, lang)}`;
}

/** `14:05`. */
export function time(ms: number, lang: Lang): string {
  return new Date(ms).toLocaleTimeString(locale(lang), { hour: "2-digit", minute: "2-digit" });
}

/** `5 мин назад` up to a day, then the date. */
export function ago(ms: number, lang: Lang, now = Date.now()): string {
  const age = Math.max(0, now - ms);
  if (age >= DAY) return dateTime(ms, lang, now);
  const format = new Intl.RelativeTimeFormat(locale(lang), { numeric: "always", style: "short" });
  if (age < MINUTE) return format.format(-Math.floor(age / 1000), "second");
  if (age < HOUR) return format.format(-Math.floor(age / MINUTE), "minute");
  return format.format(-Math.floor(age / HOUR), "hour");
}

/** `2 ч 5 мин`, `45 с`: the two largest units. */
export function duration(ms: number, lang: Lang): string {
  const units = lang === "ru" ? ["д", "ч", "мин", "с"] : ["d", "h", "min", "s"];
  const sizes = [DAY, HOUR, MINUTE, 1000];
  let rest = Math.max(0, ms);
  const parts: string[] = [];
  sizes.forEach((size, index) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0 && parts.length < 2) parts.push(`${count} ${units[index]}`);
  });
  return parts.join(" ") || `0 ${units[3]}`;
}

/** `1,4 МБ`. */
export function bytes(count: number, lang: Lang): string {
  const units = lang === "ru" ? ["Б", "КБ", "МБ", "ГБ"] : ["B", "KB", "MB", "GB"];
  let [value, unit] = [count, 0];
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toLocaleString(locale(lang), { maximumFractionDigits: digits })} ${units[unit]}`;
}

/** `12 345`. */
export function count(value: number, lang: Lang): string {
  return value.toLocaleString(locale(lang));
}

/** `+7 916 123-45-67`; what is no Russian number stays as it is. */
export function phone(text: string): string {
  const digits = text.replace(/\D/g, "");
  const isForeign = /^\s*\+(?!7)/.test(text);
  const national = !isForeign && /^[78]?\d{10}$/.test(digits) ? digits.slice(-10) : "";
  const [, a, b, c, d] = /^(\d{3})(\d{3})(\d{2})(\d{2})$/.exec(national) ?? [];
  return a ? `+7 ${a} ${b}-${c}-${d}` : text;
}

/** `А 123 ВС 77`; what is no Russian plate stays as it is. */
export function plate(text: string): string {
  const bare = text.replace(/[\s-]/g, "").toUpperCase();
  const [, a, b, c, region] = /^([А-ЯA-Z])(\d{3})([А-ЯA-Z]{2})(\d{2,3})$/.exec(bare) ?? [];
  return a ? `${a} ${b} ${c} ${region}` : text;
}

/** `АС` of `Артём Соколов`: stands for a photo that is not there. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  return words
    .slice(0, 2)
    .map((word) => [...word][0]?.toUpperCase() ?? "")
    .join("");
}
