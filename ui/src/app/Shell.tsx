// The one window: rail, header, page. What a page is, stands in routes.ts.
import { Suspense } from "react";
import { useTranslation } from "react-i18next";
import { Link, Redirect, Route, Switch, useRoute } from "wouter";
import { Skeleton } from "../shared/Result";
import { NAV, PAGES } from "./routes";
import styles from "./Shell.module.css";

export function Shell() {
  return (
    <div className={styles.shell}>
      <Rail />
      <main className={styles.main}>
        <Suspense fallback={<Skeleton />}>
          <Switch>
            {PAGES.map(({ path, page: PageOf }) => (
              <Route key={path} path={path}>
                <PageOf />
              </Route>
            ))}
            <Route>
              <Redirect to="/capture" replace />
            </Route>
          </Switch>
        </Suspense>
      </main>
    </div>
  );
}

function Rail() {
  const { t } = useTranslation("common");
  return (
    <nav className={styles.rail} aria-label={t("nav.label")}>
      <img className={styles.logo} src="/icon.svg" alt={t("app")} width={32} height={32} />
      {NAV.map(({ path, name, icon: Icon }) => (
        <RailLink key={path} path={path} name={t(`nav.${name}`)}>
          <Icon size={20} aria-hidden="true" />
        </RailLink>
      ))}
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
