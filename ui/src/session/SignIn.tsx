// Sign-in at the desk: who, then the pass code. Works without the hub.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { ChevronRight } from "lucide-react";
import { useState } from "react";
import { ListBox, ListBoxItem } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { desk, type PersonChoice, type Session } from "../api/desk";
import { asProblem } from "../api/problem";
import { Button } from "../shared/Button";
import { Frame } from "../shared/Frame";
import { dateTime, duration, initials } from "../shared/format";
import { useLang } from "../shared/lang";
import { useNow } from "../shared/now";
import { PassCode } from "../shared/PassCode";
import { problemText } from "../shared/Result";
import styles from "./SignIn.module.css";

export function SignIn({ session }: { session: Session }) {
  const { t } = useTranslation("session");
  const [chosen, setChosen] = useState<PersonChoice | undefined>(
    session.people.length === 1 ? session.people[0] : undefined,
  );
  const onBack = session.people.length > 1 ? () => setChosen(undefined) : undefined;
  return (
    <Frame title={chosen ? t("pass_code_title") : t("who")}>
      {chosen ? (
        <Enter key={chosen.id} person={chosen} onBack={onBack} />
      ) : (
        <People people={session.people} onChoose={setChosen} />
      )}
      <Offline untilMs={session.until_ms} />
    </Frame>
  );
}

function People({ people, onChoose }: { people: PersonChoice[]; onChoose: (person: PersonChoice) => void }) {
  const { t } = useTranslation(["session", "common"]);
  return (
    <ListBox
      className={styles.people}
      aria-label={t("who")}
      autoFocus="first"
      items={people}
      onAction={(id) => {
        const person = people.find((one) => one.id === id);
        if (person) onChoose(person);
      }}
    >
      {(person) => (
        <ListBoxItem className={styles.person} textValue={person.name}>
          <PersonLine person={person} />
          <ChevronRight size={18} aria-hidden="true" />
        </ListBoxItem>
      )}
    </ListBox>
  );
}

function PersonLine({ person }: { person: PersonChoice }) {
  const { t } = useTranslation("common");
  return (
    <>
      <span className={styles.avatar} aria-hidden="true">
        {initials(person.name)}
      </span>
      <span className={styles.name}>
        <strong>{person.name}</strong>
        <span className="secondary">{t(`role.${person.role}`, { defaultValue: person.role })}</span>
      </span>
    </>
  );
}

function Enter({ person, onBack }: { person: PersonChoice; onBack: (() => void) | undefined }) {
  const { t } = useTranslation(["session", "common"]);
  const queries = useQueryClient();
  const [code, setCode] = useState("");
  const signIn = useMutation({
    mutationFn: () => desk.signIn(person.id, code),
    onSuccess: (session) => queries.setQueryData(["session"], session),
    onError: () => setCode(""),
  });
  const lockedForMs = useLock(signIn.error);
  return (
    <form
      className={styles.form}
      onKeyDown={(event) => {
        if (event.key === "Escape" && onBack) onBack();
      }}
      onSubmit={(event) => {
        event.preventDefault();
        if (code !== "" && lockedForMs === 0 && !signIn.isPending) signIn.mutate();
      }}
    >
      <div className={styles.chosen}>
        <PersonLine person={person} />
      </div>
      <PassCode
        label={t("common:pass_code.label")}
        autoFocus
        value={code}
        onChange={setCode}
        error={errorText(t, signIn.error, lockedForMs, useLang())}
      />
      <div className={styles.actions}>
        {onBack && <Button onPress={onBack}>{t("another")}</Button>}
        <Button type="submit" tone="primary" hint="Enter" isDisabled={code === "" || lockedForMs > 0}>
          {t("enter")}
        </Button>
      </div>
    </form>
  );
}

type Translate = (key: string, options?: Record<string, unknown>) => string;

function errorText(t: unknown, error: unknown, lockedForMs: number, lang: "ru" | "en"): string | undefined {
  if (!error) return undefined;
  if (lockedForMs > 0) return (t as Translate)("session:locked", { time: duration(lockedForMs, lang) });
  if (asProblem(error).code === "locked_out") return undefined;
  return problemText(t, error);
}

/** How long sign-in stays locked after too many wrong pass codes; 0 = not. */
function useLock(error: unknown): number {
  const now = useNow();
  if (!error) return 0;
  const { code, detail } = asProblem(error);
  const until = code === "locked_out" ? Number(detail) : 0;
  return Number.isFinite(until) ? Math.max(0, until - now) : 0;
}

function Offline({ untilMs }: { untilMs: number | null | undefined }) {
  const { t } = useTranslation("session");
  const lang = useLang();
  const now = useNow(60_000);
  if (!untilMs) return null;
  return (
    <p className="secondary">
      {untilMs > now ? t("offline_until", { time: dateTime(untilMs, lang, now) }) : t("offline_over")}
    </p>
  );
}
