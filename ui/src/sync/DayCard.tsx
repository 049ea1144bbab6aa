// The last 24 hours: what waited, what was sent, what came; a mark where something went wrong. As a table, too.
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { DayPoint } from "../api/desk";
import { Button } from "../shared/Button";
import { count, time } from "../shared/format";
import { useLang } from "../shared/lang";
import { Card } from "../shared/Page";
import { Result } from "../shared/Result";
import styles from "./Day.module.css";
import { DayChart } from "./DayChart";
import { hours, sums } from "./day";
import { useDay } from "./queries";

export function DayCard() {
  const { t } = useTranslation("sync");
  const query = useDay();
  const [isTable, setTable] = useState(false);
  return (
    <Card
      title={t("day.title")}
      aside={
        <Button size="small" tone="quiet" onPress={() => setTable(!isTable)}>
          {t(isTable ? "day.as_chart" : "day.as_table")}
        </Button>
      }
    >
      <Result query={query} empty={(points) => (hasNothing(points) ? <p>{t("day.none")}</p> : undefined)}>
        {(points) =>
          isTable ? (
            // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be scrollable by keyboard
            <section className={styles.scroller} aria-label={t("day.title")} tabIndex={0}>
              <Table points={points} />
            </section>
          ) : (
            <Chart points={points} />
          )
        }
      </Result>
    </Card>
  );
}

/** Three empty strips tell nothing. */
function hasNothing(points: readonly DayPoint[]): boolean {
  return points.every(({ waiting, sent, received, problems }) => waiting + sent + received + problems === 0);
}

const SERIES = ["waiting", "sent", "received"] as const;

function Chart({ points }: { points: DayPoint[] }) {
  const { t } = useTranslation("sync");
  const lang = useLang();
  const day = sums(points);
  return (
    <div className={styles.charts}>
      {SERIES.map((name) => (
        <figure key={name} className={styles.chart}>
          <figcaption className={styles.caption}>
            <span>{t(`day.${name}`)}</span>
            <strong>{count(day[name], lang)}</strong>
          </figcaption>
          <DayChart points={points} series={name} hasAxis={name === "received"} />
        </figure>
      ))}
      <p className={day.problems > 0 ? styles.problems : "secondary"}>
        {t("day.problems", { count: day.problems })}
      </p>
      {/* What the pictures show, for those who do not see them. */}
      <div className="visually-hidden">
        <Table points={points} />
      </div>
    </div>
  );
}

function Table({ points }: { points: DayPoint[] }) {
  const { t } = useTranslation("sync");
  const lang = useLang();
  return (
    <table className={styles.table}>
      <caption className="visually-hidden">{t("day.title")}</caption>
      <thead>
        <tr>
          <th scope="col">{t("day.hour")}</th>
          {[...SERIES, "failed"].map((name) => (
            <th key={name} scope="col">
              {t(`day.${name}`)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {hours(points).map((row) => (
          <tr key={row.at_ms}>
            <th scope="row">{time(row.at_ms, lang)}</th>
            <td>{count(row.waiting, lang)}</td>
            <td>{count(row.sent, lang)}</td>
            <td>{count(row.received, lang)}</td>
            <td>{count(row.problems, lang)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
