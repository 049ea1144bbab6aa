// The two languages. One file per noun and language in words/; keys are the same in both (words.test.ts), Russian has all its
// plural forms. The server's codes are keys, too.
import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import type { Lang } from "../api/desk";
import { remember, remembered } from "./remember";

export type { Lang };

const files = import.meta.glob<Record<string, unknown>>("./words/*/*.json", {
  eager: true,
  import: "default",
});

/** noun -> words, of one language. */
export function wordsOf(lang: Lang): Record<string, Record<string, unknown>> {
  const words: Record<string, Record<string, unknown>> = {};
  for (const [path, content] of Object.entries(files)) {
    const [, of, noun] = /words\/(\w+)\/(\w+)\.json$/.exec(path) ?? [];
    if (of === lang && noun) words[noun] = content;
  }
  return words;
}

export const i18n = i18next.createInstance();

void i18n.use(initReactI18next).init({
  lng: preferred(),
  fallbackLng: false,
  defaultNS: "common",
  resources: { ru: wordsOf("ru"), en: wordsOf("en") },
  interpolation: { escapeValue: false },
  returnNull: false,
  initAsync: false,
});

function preferred(): Lang {
  const last = remembered("lang");
  if (last === "ru" || last === "en") return last;
  return navigator.language.toLowerCase().startsWith("en") ? "en" : "ru";
}

/** Changes the language of everything. */
export async function speak(lang: Lang): Promise<void> {
  remember("lang", lang);
  if (i18n.language !== lang) await i18n.changeLanguage(lang);
  document.documentElement.lang = lang;
}

export function currentLang(): Lang {
  return i18n.language === "en" ? "en" : "ru";
}
