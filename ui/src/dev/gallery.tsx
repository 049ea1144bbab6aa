// The gallery of all states, in development builds only: components in lists, pages whole. `/dev/gallery` lists them,
// `/dev/gallery?state=sync/SyncPage/offline` shows one; `&theme=dark&lang=en` set the look, for screenshots.
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { Router } from "wouter";
import { memoryLocation } from "wouter/memory-location";
import { newQueries, Providers } from "../app/App";
import { speak } from "../app/i18n";
import { World } from "../app/World";
import type { State, States } from "../shared/states";
import { fakeAppliance } from "./fake";
import { ANSWERS } from "./fixtures";
import styles from "./gallery.module.css";

const files = import.meta.glob<States>("../*/*.states.tsx", { eager: true, import: "states" });

interface Entry {
  id: string;
  file: string;
  name: string;
  state: State;
}

const ENTRIES: Entry[] = Object.entries(files).flatMap(([path, states]) => {
  const file = path.replace("../", "").replace(".states.tsx", "");
  return Object.entries(states).map(([name, state]) => ({ id: `${file}/${name}`, file, name, state }));
});

const isPage = (state: State) => !("render" in state);

export default function Gallery() {
  const asked = useMemo(() => new URLSearchParams(window.location.search), []);
  const id = asked.get("state");
  const lang = asked.get("lang");
  const theme = asked.get("theme");
  useEffect(() => {
    if (lang === "ru" || lang === "en") void speak(lang);
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
    // The end-to-end run reads what there is.
    document.documentElement.dataset.states = JSON.stringify(shots());
  }, [lang, theme]);
  const look = `${theme ? `&theme=${theme}` : ""}${lang ? `&lang=${lang}` : ""}`;
  if (!id) return <Index look={look} />;
  const page = ENTRIES.find((entry) => entry.id === id && isPage(entry.state));
  if (page) return <Stage state={page.state} look={{ lang, theme }} />;
  const list = ENTRIES.filter((entry) => entry.file === id && !isPage(entry.state));
  return <List entries={list} look={{ lang, theme }} />;
}

/** What is shown one at a time: every page state, and every file of component states. */
function shots(): string[] {
  return [...new Set(ENTRIES.map(({ id, file, state }) => (isPage(state) ? id : file)))];
}

function Index({ look }: { look: string }) {
  return (
    <main className={styles.index}>
      <h1>Gallery</h1>
      <ul>
        {shots().map((id) => (
          <li key={id}>
            <a href={`/dev/gallery?state=${encodeURIComponent(id)}${look}`}>{id}</a>
          </li>
        ))}
      </ul>
    </main>
  );
}

interface Look {
  lang: string | null;
  theme: string | null;
}

function List({ entries, look }: { entries: Entry[]; look: Look }) {
  return (
    <main className={styles.list}>
      {entries.map(({ id, name, state }) => (
        <section key={id} className={styles.entry}>
          <h2 className={styles.name}>{name}</h2>
          <div className={styles.frame} style={"width" in state ? { width: state.width } : undefined}>
            <Stage state={state} look={look} />
          </div>
        </section>
      ))}
    </main>
  );
}

function Stage({ state, look }: { state: State; look: Look }) {
  const [queries] = useState(() => {
    const fresh = newQueries();
    fresh.setDefaultOptions({ queries: { ...fresh.getDefaultOptions().queries, refetchInterval: false } });
    return fresh;
  });
  const [isReady, setReady] = useState(false);
  const page = "page" in state ? state.page : "/";
  const location = useMemo(() => memoryLocation({ path: page }), [page]);
  useEffect(() => {
    const settings = { ...(ANSWERS["GET /api/v1/settings"] as object), ...looked(look) };
    const end = fakeAppliance({ ...ANSWERS, "GET /api/v1/settings": settings, ...state.answers });
    setReady(true);
    return end;
  }, [state, look]);
  if (!isReady) return null;
  const shown: ReactNode = "page" in state ? <World /> : "whole" in state ? state.whole() : state.render();
  return (
    <Router hook={location.hook} searchHook={location.searchHook}>
      <Providers queries={queries}>
        <Looked look={look}>{shown}</Looked>
      </Providers>
    </Router>
  );
}

/** A component by itself has no World around it that speaks the language asked for. */
function Looked({ look, children }: { look: Look; children: ReactNode }) {
  useEffect(() => {
    if (look.lang === "ru" || look.lang === "en") void speak(look.lang);
  }, [look]);
  return children;
}

function looked({ lang, theme }: Look): object {
  return { ...(lang ? { lang } : {}), ...(theme ? { theme } : {}) };
}
