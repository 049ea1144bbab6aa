// One picture without a driver: large, why it waits, who it may show, and the way to anybody else.
import { useQuery } from "@tanstack/react-query";
import { Search, Trash2 } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../api/client";
import { trayFile, trayOffers } from "../api/pictures";
import { DriverFinder } from "../driver/DriverFinder";
import { Button } from "../shared/Button";
import { Findings, isFailed } from "../shared/Findings";
import { dateTime } from "../shared/format";
import { useLang } from "../shared/lang";
import { Picture, photoPath } from "../shared/Picture";
import { Reason } from "../shared/Reason";
import { Result } from "../shared/Result";
import { useShortcuts } from "../shared/shortcuts";
import { Verdict } from "../shared/Verdict";
import styles from "./TrayEntry.module.css";

interface Who {
  park: string;
  id: string;
  name: string;
}

export interface TrayEntryProps {
  entry: Schemas["TrayView"];
  onAssign: (driver: Who, reason: string | undefined) => Promise<void>;
  onDiscard: () => void;
}

const NUMBERED = 9;

export function reasonOf(
  t: (key: string, options?: Record<string, unknown>) => string,
  entry: Schemas["TrayView"],
) {
  return t(`reason.${entry.reason}`, { defaultValue: entry.reason_text });
}

export function TrayEntry({ entry, onAssign, onDiscard }: TrayEntryProps) {
  const { t } = useTranslation("tray");
  const lang = useLang();
  const [isSearching, setSearching] = useState(false);
  const [reason, setReason] = useState("");
  /** Who is meant, while a reason is asked for. */
  const [meant, setMeant] = useState<Who>();
  const [isMissing, setMissing] = useState(false);
  const field = useRef<HTMLDivElement>(null);
  const busy = useRef(false);
  const offers = useQuery({
    queryKey: ["tray", entry.id, "offers"],
    queryFn: ({ signal }) => trayOffers(entry.id, signal),
  });
  const needsReason = isFailed(entry.findings);
  const assign = async (driver: Who, why?: string) => {
    if (needsReason && !why) {
      setMeant(driver);
      return;
    }
    if (busy.current) return;
    busy.current = true;
    await onAssign(driver, why).finally(() => {
      busy.current = false;
    });
  };
  const goOn = () => {
    const why = reason.trim();
    setMissing(why === "");
    if (meant && why !== "") void assign(meant, why);
  };
  const ranked = (offers.data?.offers ?? []).slice(0, NUMBERED);
  const nameOf = (offer: Schemas["OfferView"]) => offer.driver_name ?? t("nameless");
  const take = (at: number) => {
    const offer = ranked[at];
    if (offer) void assign({ park: offer.park, id: offer.driver, name: nameOf(offer) });
  };
  // The reason is asked for where the eyes are.
  useEffect(() => {
    if (meant) field.current?.querySelector("input")?.focus();
  }, [meant]);
  useShortcuts([
    {
      keys: "Enter",
      label: t("keys.first"),
      run: () => take(0),
      isDisabled: ranked.length === 0 || isSearching,
    },
    ...ranked.map((offer, at) => ({
      keys: `Digit${at + 1}`,
      label: t("keys.offer", { name: nameOf(offer) }),
      run: () => take(at),
      isDisabled: isSearching,
    })),
    { keys: "Slash", label: t("keys.search"), run: () => setSearching(true) },
  ]);
  return (
    <section className={styles.entry} aria-label={entry.file_name}>
      <div className={styles.what}>
        <Picture path={trayFile(entry.id, "portrait")} alt={t("picture")} className={styles.picture ?? ""} />
        <div className={styles.facts}>
          <h2>{entry.file_name}</h2>
          <p className="secondary">{dateTime(entry.captured_at_ms, lang)}</p>
          <p>{reasonOf(t, entry)}</p>
          {entry.findings.length > 0 && <Findings findings={entry.findings} />}
          <div className={styles.actions}>
            <Button size="small" onPress={() => setSearching(true)} hint="/">
              <Search size={14} aria-hidden="true" />
              {t("other")}
            </Button>
            <Button size="small" tone="danger" onPress={onDiscard} hint="Del">
              <Trash2 size={14} aria-hidden="true" />
              {t("discard")}
            </Button>
          </div>
        </div>
      </div>
      {meant && (
        <div className={styles.meant}>
          <p>{t("needs_reason", { name: meant.name })}</p>
          <Reason
            value={reason}
            onChange={setReason}
            isMissing={isMissing && reason.trim() === ""}
            onEnter={goOn}
            field={field}
          />
          <div className={styles.actions}>
            <Button size="small" tone="primary" hint="Enter" onPress={goOn}>
              {t("assign")}
            </Button>
            <Button size="small" onPress={() => setMeant(undefined)}>
              {t("cancel", { ns: "common" })}
            </Button>
          </div>
        </div>
      )}
      {meant ? null : isSearching ? (
        <div className={styles.finder}>
          <Focused>
            <DriverFinder onPick={(driver) => void assign(driver)} onLeave={() => setSearching(false)} />
          </Focused>
        </div>
      ) : (
        <Result query={offers}>
          {(data) =>
            data.offers.length === 0 ? (
              <p className={styles.none}>{t(`no_offers.${data.none_because ?? "nobody_alike"}`)}</p>
            ) : (
              <ol className={styles.offers} aria-label={t("offers")}>
                {ranked.map((offer, at) => (
                  <li key={offer.driver}>
                    <button type="button" className={styles.offer} onClick={() => take(at)}>
                      <kbd>{at === 0 ? "Enter" : at + 1}</kbd>
                      <Picture
                        path={photoPath(offer.photo, "portrait")}
                        alt=""
                        name={nameOf(offer)}
                        className={styles.face ?? ""}
                      />
                      <span className={styles.who}>
                        <strong>{nameOf(offer)}</strong>
                        <Verdict likely={offer} among />
                      </span>
                    </button>
                  </li>
                ))}
              </ol>
            )
          }
        </Result>
      )}
    </section>
  );
}

/** Gives the first field in it the focus. */
function Focused({ children }: { children: React.ReactNode }) {
  return (
    <div className={styles.focused} ref={(element) => element?.querySelector("input")?.focus()}>
      {children}
    </div>
  );
}
