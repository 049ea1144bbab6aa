// The photo centre's page: find the driver, shoot, save; the next one. Three keys.
import { useQuery } from "@tanstack/react-query";
import { FlipHorizontal2, Plus, Timer } from "lucide-react";
import { useCallback, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "wouter";
import { type DriverRow, getDriver } from "../api/drivers";
import { useSaveSettings, useSettings } from "../api/queries";
import { Studio } from "../capture/Studio";
import type { Person } from "../capture/useShot";
import { DriverFinder } from "../driver/DriverFinder";
import { NewDriver } from "../driver/NewDriver";
import { PersonHead } from "../driver/PersonHead";
import { Button } from "../shared/Button";
import { useCameras } from "../shared/camera";
import { Freshness } from "../shared/Freshness";
import { Page } from "../shared/Page";
import { Select } from "../shared/Select";
import { useShortcuts } from "../shared/shortcuts";
import styles from "./CapturePage.module.css";

type Chosen = Person & Pick<DriverRow, "plate" | "licence_number">;

export default function CapturePage() {
  const { t } = useTranslation("capture");
  const { t: driver } = useTranslation("driver");
  const [params, setParams] = useSearchParams();
  const [chosen, choose] = useState<Chosen>();
  const [typed, setTyped] = useState<string>();
  const field = useRef<HTMLInputElement>(null);
  const free = useCallback(() => {
    choose(undefined);
    setParams({}, { replace: true });
    // The field comes back with the next drawing.
    setTimeout(() => field.current?.focus(), 0);
  }, [setParams]);

  // Opened for a driver (from the global search): that one is read first.
  const [park, id] = [params.get("park"), params.get("driver")];
  const asked = useQuery({
    queryKey: ["driver", id, park],
    queryFn: ({ signal }) => getDriver(park ?? "", id ?? "", signal),
    enabled: park !== null && id !== null,
  });
  const person: Chosen | undefined = chosen ?? (park && id ? asked.data : undefined);
  useEffect(() => {
    if (!person) field.current?.focus();
  }, [person]);
  useShortcuts([{ keys: "Slash", label: driver("keys.search"), run: free }]);

  return (
    <Page title={t("title")} note={<Freshness />} fill actions={<Tools />}>
      <Studio
        person={person}
        head={person && <PersonHead driver={person} onClear={free} />}
        finder={
          <DriverFinder
            field={field}
            onPick={choose}
            none={(text) => (
              <Button onPress={() => setTyped(text)}>
                <Plus size={16} aria-hidden="true" />
                {driver("add")}
              </Button>
            )}
          />
        }
        onSaved={free}
        onLeave={free}
        onOther={choose}
      />
      <NewDriver
        isOpen={typed !== undefined}
        typed={typed ?? ""}
        onClose={() => setTyped(undefined)}
        onMade={(made) => choose(made)}
      />
    </Page>
  );
}

/** Camera, mirror, automatic shutter: kept in the settings of this device. */
function Tools() {
  const { t } = useTranslation("capture");
  const settings = useSettings().data;
  const { mutate } = useSaveSettings();
  const cameras = useCameras();
  const isMirrored = settings?.mirror ?? true;
  const isAutomatic = settings?.auto_shutter ?? false;
  const mirror = () => mutate({ mirror: !isMirrored });
  const automatic = () => mutate({ auto_shutter: !isAutomatic });
  useShortcuts([
    { keys: "KeyM", label: t("keys.mirror"), run: mirror },
    { keys: "KeyA", label: t("keys.automatic"), run: automatic },
  ]);
  return (
    <>
      {cameras.length > 1 && (
        <div className={styles.cameras}>
          <Select
            isBare
            label={t("camera.choose")}
            value={settings?.camera ?? ""}
            onChange={(camera) => mutate({ camera: camera === "" ? null : camera })}
            choices={[
              { id: "", name: t("camera.any") },
              ...cameras.map((one, index) => ({
                id: one.deviceId,
                name: one.label || t("camera.number", { number: index + 1 }),
              })),
            ]}
          />
        </div>
      )}
      <Button
        aria-pressed={isMirrored}
        onPress={mirror}
        className={isMirrored ? (styles.on ?? "") : ""}
        hint="M"
      >
        <FlipHorizontal2 size={16} aria-hidden="true" />
        {t("mirror")}
      </Button>
      <Button
        aria-pressed={isAutomatic}
        onPress={automatic}
        className={isAutomatic ? (styles.on ?? "") : ""}
        hint="A"
      >
        <Timer size={16} aria-hidden="true" />
        {t("automatic")}
      </Button>
    </>
  );
}
