// The one window: rail, header, page. What a page is, stands in routes.ts.
import { Suspense } from "react";
import { useTranslation } from "react-i18next";
import { Link, Redirect, Route, Switch, useLocation, useRoute } from "wouter";
import { useSession } from "../api/queries";
import { Skeleton } from "../shared/Result";
import { useShortcuts } from "../shared/shortcuts";
import { useToasts } from "../shared/Toast";
import { SyncPill } from "../sync/SyncPill";
import { GlobalSearch } from "./GlobalSearch";
import { PersonMenu } from "./PersonMenu";
import { type PageEntry, pagesFor } from "./routes";
import styles from "./Shell.module.css";

export function Shell() {
  const { t } = useTranslation("common");
  const [, go] = useLocation();
  const pages = pagesFor(useSession().data);
  const { undoLast } = useToasts();
  useShortcuts([
    { keys: "alt+KeyS", label: t("keys.sync"), whileTyping: true, run: () => go("/sync") },
    { keys: "ctrl+KeyZ", label: t("keys.undo"), run: () => void undoLast() },
  ]);
  return (
    <div className={styles.shell}>
      <Rail pages={pages} />
      <header className={styles.header}>
        <GlobalSearch />
        <div className={styles.aside}>
          <SyncPill />
          <PersonMenu />
        </div>
      </header>
      <main className={styles.main}>
        <Suspense fallback={<Skeleton />}>
          <Switch>
            {pages.map(({ path, page: PageOf }) => (
              <Route key={path} path={path}>
                <PageOf />
              </Route>
            ))}
            <Route>
              <Redirect to={pages[0]?.path ?? "/sync"} replace />
            </Route>
          </Switch>
        </Suspense>
      </main>
    </div>
  );
}

function Rail({ pages }: { pages: readonly PageEntry[] }) {
  const { t } = useTranslation("common");
  return (
    <nav className={styles.rail} aria-label={t("nav.label")}>
      <img className={styles.logo} src="/icon.svg" alt={t("app")} width={32} height={32} />
      {pages.map(
        ({ path, name, icon: Icon }) =>
          Icon && (
            <RailLink key={path} path={path} name={t(`nav.${name}`)}>
              <Icon size={20} aria-hidden="true" />
            </RailLink>
          ),
      )}
    </nav>
  );
}

function RailLink({ path, name, children }: { path: string; name: string; children: React.ReactNode }) {
  const [isHere] = useRoute(`${path}/*?`);
  return (
    <Link href={path} className={styles.link} aria-current={isHere ? "page" : undefined}>
      {children}
      <span>{name}</span>
    </Link>
  );
}
