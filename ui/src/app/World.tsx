// Shows the world the person is in (world.ts), in their language and theme.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { followChanges } from "../api/changes";
import type { Lang } from "../api/desk";
import { asProblem } from "../api/problem";
import { useInstallation, useSession, useSettings, useStatus } from "../api/queries";
import { SignIn } from "../session/SignIn";
import { NoAnswer, Revoked, Starting, Unauthorized, Unreadable } from "../setup/Hindrance";
import { NoKey } from "../setup/NoKey";
import { Setup } from "../setup/Setup";
import { speak } from "./i18n";
import { remember, remembered } from "./remember";
import { Shell } from "./Shell";
import { useTheme } from "./theme";
import { type World as WorldName, worldOf } from "./world";

/** How far a set-up came in this tab. */
interface SetupKept {
  step: string | null;
  besideOld: boolean;
}

function readSetup(): SetupKept {
  try {
    const kept = JSON.parse(remembered("setup") ?? "{}") as Partial<SetupKept>;
    return { step: kept.step ?? null, besideOld: kept.besideOld === true };
  } catch {
    return { step: null, besideOld: false };
  }
}

export function World() {
  const installation = useInstallation();
  const isReady = installation.data?.state === "ready";
  const session = useSession(isReady);
  const settings = useSettings(isReady);
  const [setup, setSetup] = useState(readSetup);
  const [knowsRevoked, setKnowsRevoked] = useState(false);
  const link = useStatus(isReady).data?.link.state;

  const queries = useQueryClient();
  useEffect(() => {
    if (!isReady) return;
    const stop = new AbortController();
    void followChanges(queries, stop.signal);
    return () => stop.abort();
  }, [queries, isReady]);

  useTheme(settings.data?.theme);
  const lang = settings.data?.lang;
  useEffect(() => {
    if (lang) void speak(lang);
  }, [lang]);

  const world = worldOf({
    installation: installation.data,
    problem: installation.error ? asProblem(installation.error) : undefined,
    session: session.data,
    sessionProblem: session.error ? asProblem(session.error) : undefined,
    isRevoked: link === "revoked",
    isSettingUp: setup.step !== null || setup.besideOld,
    knowsRevoked,
  });
  const onSetup = (next: SetupKept) => {
    remember("setup", next.step === null && !next.besideOld ? null : JSON.stringify(next));
    setSetup(next);
  };
  const enrolBesideOld = () => onSetup({ step: "hub", besideOld: true });
  const onLang = (chosen: Lang) => void speak(chosen);

  const shown: Record<WorldName, () => React.ReactNode> = {
    starting: () => <Starting />,
    no_answer: () => <NoAnswer />,
    unauthorized: () => <Unauthorized onRetry={() => void installation.refetch()} />,
    setup: () => (
      <Setup
        {...setup}
        onStep={(step) => onSetup({ step, besideOld: step !== null && setup.besideOld })}
        onLang={onLang}
      />
    ),
    no_key: () => installation.data && <NoKey installation={installation.data} onEnrol={enrolBesideOld} />,
    unreadable: () => installation.data && <Unreadable installation={installation.data} />,
    signed_out: () => session.data && <SignIn session={session.data} />,
    revoked: () => <Revoked onContinue={() => setKnowsRevoked(true)} onEnrol={enrolBesideOld} />,
    desk: () => <Shell />,
  };
  return shown[world]();
}
