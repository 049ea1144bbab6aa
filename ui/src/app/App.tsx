// The composition root of the pages: providers around the world that is shown (World.tsx).
import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { lazy, type ReactNode, Suspense, useState } from "react";
import { I18nProvider } from "react-aria-components";
import { I18nextProvider, useTranslation } from "react-i18next";
import { asProblem } from "../api/problem";
import { ShortcutProvider } from "../shared/shortcuts";
import { ToastProvider } from "../shared/Toast";
import { i18n } from "./i18n";
import { World } from "./World";

/** What a problem of any query says about the world around the page. */
const TELLS: Partial<Record<string, string>> = {
  signed_out: "session",
  unauthorized: "installation",
  not_set_up: "installation",
};

export function newQueries(): QueryClient {
  const queries: QueryClient = new QueryClient({
    queryCache: new QueryCache({
      onError: (error, query) => {
        const noun = TELLS[asProblem(error).code];
        if (noun && query.queryKey[0] !== noun) void queries.invalidateQueries({ queryKey: [noun] });
      },
    }),
    defaultOptions: {
      // Changes are told by the appliance itself; nothing is read again on a guess.
      queries: {
        staleTime: Number.POSITIVE_INFINITY,
        refetchOnWindowFocus: false,
        retry: (failures, error) => failures < 1 && asProblem(error).code === "no_answer",
        networkMode: "always",
      },
      mutations: { networkMode: "always" },
    },
  });
  return queries;
}

/** The gallery of all states; not in a production bundle. */
const Gallery = __GALLERY__ ? lazy(() => import("../dev/gallery")) : undefined;

export function App() {
  if (Gallery && window.location.pathname.startsWith("/dev/gallery")) {
    return (
      <Suspense>
        <Gallery />
      </Suspense>
    );
  }
  return <Desk />;
}

function Desk() {
  const [queries] = useState(newQueries);
  return (
    <Providers queries={queries}>
      <World />
    </Providers>
  );
}

/** All that a page needs around it. */
export function Providers({ queries, children }: { queries: QueryClient; children: ReactNode }) {
  return (
    <QueryClientProvider client={queries}>
      <I18nextProvider i18n={i18n}>
        <Localised>
          <ShortcutProvider>
            <ToastProvider>{children}</ToastProvider>
          </ShortcutProvider>
        </Localised>
      </I18nextProvider>
    </QueryClientProvider>
  );
}

/** Dates, numbers and the words of the components in the language of the pages. */
function Localised({ children }: { children: ReactNode }) {
  const { i18n } = useTranslation();
  return <I18nProvider locale={i18n.language === "en" ? "en-GB" : "ru-RU"}>{children}</I18nProvider>;
}
