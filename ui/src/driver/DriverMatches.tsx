// Pairs of faces side by side, aligned on the eyes: Y same, N different, S unsure, U takes the last decision back.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { TriangleAlert } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../api/client";
import { type Driver, decideMatch, type Match, type PhotoFace } from "../api/drivers";
import { AlignedFace } from "../shared/AlignedFace";
import { Button } from "../shared/Button";
import { type FaceIn, faceInPortrait } from "../shared/face";
import { dateTime } from "../shared/format";
import { useLang } from "../shared/lang";
import { photoPath } from "../shared/Picture";
import { problemText } from "../shared/Result";
import { useShortcuts } from "../shared/shortcuts";
import { useToasts } from "../shared/Toast";
import { Verdict } from "../shared/Verdict";
import styles from "./DriverMatches.module.css";

export interface DriverMatchesProps {
  matches: readonly Match[];
  photos: readonly Schemas["PhotoView"][];
  driver: Driver;
}

const keyOf = (match: Match) => `${match.a.photo}/${match.b.photo}`;
const isDecided = (match: Match) => match.decision != null && match.decision.verdict !== "ignore";
type Word = "same" | "different" | "unsure";

export function DriverMatches({ matches, photos, driver }: DriverMatchesProps) {
  const lang = useLang();
  const { t } = useTranslation("driver");
  const toasts = useToasts();
  const queries = useQueryClient();
  const [chosen, choose] = useState<string>();
  const open = matches.filter((match) => !isDecided(match));
  const current = matches.find((match) => keyOf(match) === chosen) ?? open[0];
  const readAgain = () => queries.invalidateQueries({ queryKey: ["driver", driver.id] });
  const decide = useMutation({
    mutationFn: ({ match, verdict }: { match: Match; verdict: Word }) =>
      decideMatch({
        park: driver.park,
        a: match.a,
        b: match.b,
        verdict,
        ...(match.decision ? { undoes: match.decision.id } : {}),
      }),
    onSuccess: async ({ decision }, { match, verdict }) => {
      choose(undefined);
      toasts.tell({
        text: t("matches.saved", { verdict: t(`matches.verdict.${verdict}`) }),
        undo: async () => {
          // Back to what stood before; `ignore` = no decision.
          const verdict = match.decision?.verdict ?? "ignore";
          await decideMatch({ park: driver.park, a: match.a, b: match.b, verdict, undoes: decision });
          await readAgain();
        },
      });
      await readAgain();
    },
    onError: (error) => toasts.tell({ text: problemText(t, error), tone: "bad" }),
  });
  const say = (verdict: Word) => {
    if (current && !decide.isPending) decide.mutate({ match: current, verdict });
  };
  const isDisabled = current === undefined || driver.read_only === true;
  useShortcuts([
    { keys: "KeyY", label: t("matches.key.same"), run: () => say("same"), isDisabled },
    { keys: "KeyN", label: t("matches.key.different"), run: () => say("different"), isDisabled },
    { keys: "KeyS", label: t("matches.key.unsure"), run: () => say("unsure"), isDisabled },
    { keys: "KeyU", label: t("matches.key.undo"), run: () => void toasts.undoLast() },
  ]);
  return (
    <ul className={styles.list}>
      {matches.map((match) => (
        <li key={keyOf(match)} className={styles.match} data-current={match === current || undefined}>
          {match.other_driver && (
            <p className={styles.other}>
              <TriangleAlert size={14} aria-hidden="true" />
              {t("matches.other", { name: match.other_driver.name })}
            </p>
          )}
          <div className={styles.pair}>
            <Side of={match.a} photos={photos} title={t("matches.latest")} name={driver.name} />
            <Side
              of={match.b}
              photos={photos}
              title={match.other_driver?.name ?? t("matches.earlier")}
              name={match.other_driver?.name ?? driver.name}
            />
          </div>
          {match.likely && <Verdict likely={match.likely} among={match.other_driver != null} />}
          {match.decision && isDecided(match) && match !== current ? (
            <p className={styles.decided}>
              {t("matches.decided", {
                verdict: t(`matches.verdict.${match.decision.verdict}`, {
                  defaultValue: match.decision.verdict,
                }),
                when: dateTime(match.decision.at_ms, lang),
              })}
              <Button size="small" tone="quiet" onPress={() => choose(keyOf(match))}>
                {t("matches.change")}
              </Button>
            </p>
          ) : (
            match === current && (
              <div className={styles.actions}>
                <Button size="small" hint="Y" onPress={() => say("same")}>
                  {t("matches.verdict.same")}
                </Button>
                <Button size="small" hint="N" onPress={() => say("different")}>
                  {t("matches.verdict.different")}
                </Button>
                <Button size="small" hint="S" onPress={() => say("unsure")}>
                  {t("matches.verdict.unsure")}
                </Button>
              </div>
            )
          )}
        </li>
      ))}
    </ul>
  );
}

interface SideProps {
  of: PhotoFace;
  photos: readonly Schemas["PhotoView"][];
  title: string;
  name: string;
}

function Side({ of, photos, title, name }: SideProps) {
  const lang = useLang();
  const photo = photos.find((one) => one.id === of.photo);
  // Another driver's photo is not in the list: its portrait has the eyes at the portrait's places anyway.
  const face: FaceIn = photo ? faceInPortrait(photo) : { width: 300, height: 400, eyes: undefined };
  return (
    <figure className={styles.side}>
      <AlignedFace path={photoPath(of.photo, "portrait")} face={face} alt={title} name={name} />
      <figcaption>
        {title}
        {photo && <span className="secondary">{dateTime(photo.captured_at_ms, lang)}</span>}
      </figcaption>
    </figure>
  );
}
