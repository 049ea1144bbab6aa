// Screens for when there is no desk to show: what happened, what it means, what to do.
import { Ban, DatabaseZap, KeyRound, PlugZap } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Installation } from "../api/desk";
import { useStatus } from "../api/queries";
import { Button } from "../shared/Button";
import { Frame } from "../shared/Frame";
import { Late, Skeleton } from "../shared/Result";
import styles from "./Hindrance.module.css";

export function Starting() {
  const { t } = useTranslation("setup");
  return (
    <Late after={400}>
      <Frame title={t("starting")}>
        <Skeleton lines={3} />
      </Frame>
    </Late>
  );
}

export function NoAnswer() {
  const { t } = useTranslation("setup");
  return (
    <Late after={600}>
      <Frame title={t("no_answer.title")} over={<Sign icon={<PlugZap size={24} />} />}>
        <p>{t("no_answer.text")}</p>
        <Steps lines={[t("no_answer.wait"), t("no_answer.start")]} />
        <Code text="parkdesk-agent run" />
      </Frame>
    </Late>
  );
}

export function Unauthorized({ onRetry }: { onRetry: () => void }) {
  const { t } = useTranslation(["setup", "common"]);
  return (
    <Frame
      title={t("unauthorized.title")}
      over={<Sign icon={<KeyRound size={24} />} />}
      actions={
        <Button tone="primary" onPress={onRetry}>
          {t("common:retry")}
        </Button>
      }
    >
      <p>{t("unauthorized.text")}</p>
      <Steps lines={[t("unauthorized.window"), t("unauthorized.link")]} />
      <Code text="parkdesk-agent open" />
    </Frame>
  );
}

export function Unreadable({ installation }: { installation: Installation }) {
  const { t } = useTranslation("setup");
  const { code, message } = installation.problem ?? { code: "other", message: "" };
  const lines = ["first", "second", "third"].map((line) => t(`unreadable.${code}.${line}`));
  return (
    <Frame title={t(`unreadable.${code}.title`)} over={<Sign icon={<DatabaseZap size={24} />} />}>
      <p>{t(`unreadable.${code}.text`)}</p>
      <Steps lines={lines} />
      <dl className={styles.facts}>
        <dt>{t("data_dir")}</dt>
        <dd>{installation.data_dir}</dd>
        <dt>{t("version")}</dt>
        <dd>{installation.version}</dd>
        {message && (
          <>
            <dt>{t("for_support")}</dt>
            <dd>{message}</dd>
          </>
        )}
      </dl>
    </Frame>
  );
}

export interface RevokedProps {
  onContinue: () => void;
  onEnrol: () => void;
}

export function Revoked({ onContinue, onEnrol }: RevokedProps) {
  const { t } = useTranslation("setup");
  const queue = useStatus().data?.queue;
  const waiting = (queue?.commands ?? 0) + (queue?.files ?? 0);
  return (
    <Frame
      title={t("revoked.title")}
      over={<Sign icon={<Ban size={24} />} />}
      actions={
        <>
          <Button onPress={onContinue}>{t("revoked.look")}</Button>
          <Button tone="primary" onPress={onEnrol}>
            {t("revoked.enrol")}
          </Button>
        </>
      }
    >
      <p>{t("revoked.text")}</p>
      <Steps
        lines={[
          waiting > 0 ? t("revoked.waiting", { count: waiting }) : t("revoked.nothing_waits"),
          t("revoked.remains"),
          t("revoked.ask"),
        ]}
      />
    </Frame>
  );
}

export function Sign({ icon }: { icon: ReactNode }) {
  return (
    <span className={styles.sign} aria-hidden="true">
      {icon}
    </span>
  );
}

export function Steps({ lines }: { lines: string[] }) {
  return (
    <ul className={styles.steps}>
      {lines.map((line) => (
        <li key={line}>{line}</li>
      ))}
    </ul>
  );
}

function Code({ text }: { text: string }) {
  return (
    <pre className={styles.code}>
      <code>{text}</code>
    </pre>
  );
}
