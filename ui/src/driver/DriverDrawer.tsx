// One driver, beside the list: what must be settled, photos with their status in words, fields changed in place, faces to
// compare, history.
import { useQuery } from "@tanstack/react-query";
import { Camera } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { type Driver, driverMatches, getDriver } from "../api/drivers";
import { photosOf } from "../api/pictures";
import { Button } from "../shared/Button";
import { Drawer } from "../shared/Dialog";
import { Freshness } from "../shared/Freshness";
import { plate } from "../shared/format";
import { Result, Skeleton } from "../shared/Result";
import { RecordStatus } from "../shared/Status";
import { useShortcuts } from "../shared/shortcuts";
import styles from "./DriverDrawer.module.css";
import { DriverFields, type FieldsHandle } from "./DriverFields";
import { DriverHistory } from "./DriverHistory";
import { DriverMatches } from "./DriverMatches";
import { DriverPhotos } from "./DriverPhotos";
import { NewPhoto } from "./NewPhoto";
import { Settle } from "./Settle";

export interface DriverDrawerProps {
  park: string;
  driver: string;
  onClose: () => void;
}

export function DriverDrawer({ park, driver, onClose }: DriverDrawerProps) {
  const { t } = useTranslation("driver");
  const query = useQuery({
    queryKey: ["driver", driver, park],
    queryFn: ({ signal }) => getDriver(park, driver, signal),
  });
  const title = query.data?.name ?? t("one");
  const focus = useRef<HTMLDivElement>(null);
  // Its keys work at once; Esc leads back to the list.
  useEffect(() => focus.current?.focus({ preventScroll: true }), []);
  return (
    <Drawer title={title} onClose={onClose} aside={query.data && <RecordStatus state={query.data.state} />}>
      <div ref={focus} tabIndex={-1} className={styles.body}>
        <Result query={query} skeleton={<Skeleton lines={6} />}>
          {(data) => <Content driver={data} />}
        </Result>
      </div>
    </Drawer>
  );
}

function Content({ driver }: { driver: Driver }) {
  const { t } = useTranslation("driver");
  const [isShooting, setShooting] = useState(false);
  const fields = useRef<FieldsHandle>(null);
  const photos = useQuery({
    queryKey: ["driver", driver.id, "photos"],
    queryFn: ({ signal }) => photosOf(driver.id, signal),
  });
  const matches = useQuery({
    queryKey: ["driver", driver.id, "matches", driver.park],
    queryFn: ({ signal }) => driverMatches(driver.park, driver.id, signal),
  });
  const canChange = driver.read_only !== true;
  useShortcuts([
    { keys: "KeyC", label: t("keys.photo"), run: () => setShooting(true), isDisabled: !canChange },
    {
      keys: "KeyP",
      label: t("keys.plate"),
      run: () => fields.current?.edit("plate"),
      isDisabled: !canChange,
    },
  ]);
  const facts = [driver.plate && plate(driver.plate), driver.licence?.number ?? driver.licence_number].filter(
    Boolean,
  );
  return (
    <>
      <p className={styles.facts}>{facts.join(" · ")}</p>
      <Freshness />
      {!canChange && <p className={styles.readOnly}>{t("read_only")}</p>}
      {(driver.attention ?? []).map((entry) => (
        <Settle key={entry.id} entry={entry} driver={driver} />
      ))}
      <section aria-label={t("photos.title")} className={styles.section}>
        <header className={styles.head}>
          <h3>{t("photos.title")}</h3>
          {canChange && (
            <Button size="small" tone="primary" hint="C" onPress={() => setShooting(true)}>
              <Camera size={16} aria-hidden="true" />
              {t("photos.new")}
            </Button>
          )}
        </header>
        <Result query={photos}>{(all) => <DriverPhotos photos={all} name={driver.name} />}</Result>
      </section>
      {matches.data && matches.data.length > 0 && (
        <section aria-label={t("matches.title")} className={styles.section}>
          <h3>{t("matches.title")}</h3>
          <DriverMatches matches={matches.data} photos={photos.data ?? []} driver={driver} />
        </section>
      )}
      <section aria-label={t("fields")} className={styles.section}>
        <h3>{t("fields")}</h3>
        <DriverFields driver={driver} handle={fields} />
      </section>
      <section aria-label={t("history.title")} className={styles.section}>
        <h3>{t("history.title")}</h3>
        <DriverHistory park={driver.park} driver={driver.id} />
      </section>
      <NewPhoto isOpen={isShooting} driver={driver} onClose={() => setShooting(false)} />
    </>
  );
}
