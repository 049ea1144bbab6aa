// Where the link stands: in one line, with what is under way, what went wrong, and what a person can do.
import {
  Ban,
  Check,
  ChevronDown,
  Clock3,
  CloudOff,
  Hourglass,
  type LucideIcon,
  Pause,
  RefreshCw,
} from "lucide-react";
import { Button as AriaButton, Menu, MenuItem, MenuTrigger, Popover } from "react-aria-components";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../api/client";
import type { SyncView } from "../api/desk";
import { Button } from "../shared/Button";
import buttons from "../shared/Button.module.css";
import { ago, bytes, dateTime, duration, time } from "../shared/format";
import { useLang } from "../shared/lang";
import { useNow } from "../shared/now";
import { Card } from "../shared/Page";
import { useToasts } from "../shared/Toast";
import { useLink } from "./queries";
import styles from "./SyncPage.module.css";
import { isOpen, nextChange } from "./schedule";

/** A clock that is wrong by more than this is told. */
const CLOCK_OFF_MS = 120_000;

const LOOKS: Record<Schemas["LinkState"], [LucideIcon, string | undefined]> = {
  online: [Check, styles.good],
  offline: [CloudOff, styles.waiting],
  paused: [Pause, styles.waiting],
  starting: [Hourglass, styles.waiting],
  revoked: [Ban, styles.bad],
  not_enrolled: [Ban, styles.bad],
};

export function LinkCard({ view }: { view: SyncView }) {
  const { t } = useTranslation("sync");
  const { link } = view;
  const [Icon, tone] = LOOKS[link.state];
  return (
    <Card>
      <div className={styles.link}>
        <span className={[styles.linkIcon, tone].join(" ")} aria-hidden="true">
          <Icon size={22} />
        </span>
        <div className={styles.linkText}>
          <h2>{t(`link.state.${link.state}`)}</h2>
          <Facts view={view} />
        </div>
        <Actions view={view} />
      </div>
      <ClockOff offsetMs={link.clock_offset_ms ?? 0} />
      {link.sending && <Progress transfers={link.sending} direction="up" />}
      {link.fetching && <Progress transfers={link.fetching} direction="down" />}
    </Card>
  );
}

function Facts({ view: { link, policy, paused_until_ms } }: { view: SyncView }) {
  const { t } = useTranslation("sync");
  const lang = useLang();
  const now = useNow();
  const day = (ms: number) =>
    new Date(ms).toDateString() === new Date(now).toDateString() ? time(ms, lang) : dateTime(ms, lang, now);
  const facts: string[] = [];
  const { last_contact_at_ms: last, next_try_at_ms: next, last_problem: problem } = link;
  if (link.state === "offline" && problem)
    facts.push(t(`link.problem.${problem.code}`, { defaultValue: t("link.problem.other") }));
  facts.push(last ? t("link.last_contact", { ago: ago(last, lang, now) }) : t("link.no_contact"));
  if (link.state === "paused" && paused_until_ms)
    facts.push(t("link.paused_until", { time: day(paused_until_ms) }));
  if (link.state === "offline" && next && next > now)
    facts.push(t("link.next_try", { time: duration(next - now, lang) }));
  const date = new Date(now);
  if (!isOpen(policy.schedule, date)) {
    const opens = nextChange(policy.schedule, date);
    if (opens) facts.push(t("link.opens", { time: day(opens.getTime()) }));
  }
  return facts.map((fact) => <p key={fact}>{fact}</p>);
}

function Actions({ view: { link } }: { view: SyncView }) {
  const { t } = useTranslation(["sync", "common"]);
  const { tell } = useToasts();
  const lang = useLang();
  const { now, pause, resume } = useLink();
  if (link.state === "revoked" || link.state === "not_enrolled") return null;
  const untils = { quarter: 15, hour: 60, tomorrow: undefined } as const;
  const onPause = (key: keyof typeof untils) => {
    const minutes = untils[key];
    const until = minutes === undefined ? tomorrow() : Date.now() + minutes * 60_000;
    pause.mutate(until, {
      onSuccess: () =>
        tell({
          text: t("link.paused_told", {
            time: minutes === undefined ? dateTime(until, lang) : time(until, lang),
          }),
          undo: () => resume.mutateAsync().then(() => undefined),
        }),
      onError: () => tell({ text: t("common:problem.later"), tone: "bad" }),
    });
  };
  if (link.state === "paused")
    return (
      <div className={styles.actions}>
        <Button tone="primary" isDisabled={resume.isPending} onPress={() => resume.mutate()}>
          {t("link.resume")}
        </Button>
      </div>
    );
  return (
    <div className={styles.actions}>
      <MenuTrigger>
        <AriaButton className={[buttons.button, buttons.plain, buttons.normal].join(" ")}>
          <Pause size={16} aria-hidden="true" />
          {t("link.pause")}
          <ChevronDown size={14} aria-hidden="true" />
        </AriaButton>
        <Popover className={styles.popover ?? ""} placement="bottom end">
          <Menu className={styles.menu ?? ""} onAction={(key) => onPause(key as keyof typeof untils)}>
            {(Object.keys(untils) as (keyof typeof untils)[]).map((key) => (
              <MenuItem key={key} id={key} className={styles.menuRow ?? ""}>
                {t(`link.pause_${key}`)}
              </MenuItem>
            ))}
          </Menu>
        </Popover>
      </MenuTrigger>
      <Button tone="primary" isDisabled={now.isPending} onPress={() => now.mutate()}>
        <RefreshCw size={16} aria-hidden="true" />
        {t("link.now")}
      </Button>
    </div>
  );
}

/** The coming midnight. */
export function tomorrow(from = new Date()): number {
  return new Date(from.getFullYear(), from.getMonth(), from.getDate() + 1).getTime();
}

function ClockOff({ offsetMs }: { offsetMs: number }) {
  const { t } = useTranslation("sync");
  const lang = useLang();
  if (Math.abs(offsetMs) <= CLOCK_OFF_MS) return null;
  const key = offsetMs > 0 ? "link.clock_slow" : "link.clock_fast";
  return (
    <p className={styles.note} role="status">
      <Clock3 size={16} aria-hidden="true" />
      {t(key, { time: duration(Math.abs(offsetMs), lang) })}
    </p>
  );
}

function Progress({ transfers, direction }: { transfers: Schemas["Transfers"]; direction: "up" | "down" }) {
  const { t } = useTranslation("sync");
  const lang = useLang();
  const { files_left, bytes_done, bytes_total, rate_bytes_s, left_ms } = transfers;
  if (files_left === 0) return null;
  const name = t(direction === "up" ? "link.sending" : "link.fetching", { count: files_left });
  const figures = [
    t("link.bytes_of", { done: bytes(bytes_done, lang), total: bytes(bytes_total, lang) }),
    rate_bytes_s ? t("link.rate", { rate: bytes(rate_bytes_s, lang) }) : "",
    left_ms ? t("link.left", { time: duration(left_ms, lang) }) : "",
  ];
  const share = bytes_total > 0 ? bytes_done / bytes_total : 0;
  return (
    <div className={styles.progress}>
      <div className={styles.progressHead}>
        <span>{name}</span>
        <span>{figures.filter(Boolean).join(" · ")}</span>
      </div>
      <Bar label={name} share={share} />
    </div>
  );
}

export function Bar({ label, share }: { label: string; share: number }) {
  const percent = Math.round(Math.min(1, Math.max(0, share)) * 100);
  return (
    <div
      className={styles.track}
      role="progressbar"
      aria-label={label}
      aria-valuenow={percent}
      aria-valuemin={0}
      aria-valuemax={100}
    >
      <div className={styles.fill} style={{ width: `${percent}%` }} />
    </div>
  );
}
