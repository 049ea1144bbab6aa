// The composition root of the pages: providers, and which of the three worlds is shown: set-up, sign-in, the desk.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { I18nProvider } from "react-aria-components";
import { I18nextProvider, useTranslation } from "react-i18next";
import { followChanges } from "../api/changes";
import { ShortcutProvider } from "../shared/shortcuts";
import { ToastProvider } from "../shared/Toast";
import { i18n } from "./i18n";
import { Shell } from "./Shell";

function newQueries(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      // Changes are told by the appliance itself; nothing is read again on a guess.
      queries: {
        staleTime: Number.POSITIVE_INFINITY,
        refetchOnWindowFocus: false,
        retry: 1,
        networkMode: "always",
      },
      mutations: { networkMode: "always" },
    },
  });
}

export function App() {
  const [queries] = useState(newQueries);
  useEffect(() => {
    const stop = new AbortController();
    void followChanges(queries, stop.signal);
    return () => stop.abort();
  }, [queries]);
  return (
    <QueryClientProvider client={queries}>
      <I18nextProvider i18n={i18n}>
        <Localised>
          <ShortcutProvider>
            <ToastProvider>
              <Shell />
            </ToastProvider>
          </ShortcutProvider>
        </Localised>
      </I18nextProvider>
    </QueryClientProvider>
  );
}

/** Dates, numbers and the words of the components in the language of the pages. */
function Localised({ children }: { children: React.ReactNode }) {
  const { i18n } = useTranslation();
  return <I18nProvider locale={i18n.language === "en" ? "en-GB" : "ru-RU"}>{children}</I18nProvider>;
}
