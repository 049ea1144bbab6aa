// Settings of this desk: saved as they are changed.
import { useTranslation } from "react-i18next";
import type { Lang, Theme } from "../api/desk";
import { useInstallation, useSaveSettings, useSettings, useStatus } from "../api/queries";
import { Choice } from "../shared/Choice";
import { Switch } from "../shared/Field";
import { useLang } from "../shared/lang";
import { Card, Page } from "../shared/Page";
import { Failure, Result } from "../shared/Result";
import { Autostart } from "./Autostart";
import { CameraChoice } from "./CameraChoice";
import { FolderSetting } from "./FolderSetting";
import { People } from "./People";
import { RecoveryCode } from "./RecoveryCode";
import styles from "./SettingsPage.module.css";

export default function SettingsPage() {
  const { t } = useTranslation(["settings", "common"]);
  const query = useSettings();
  const { mutate: save, error } = useSaveSettings();
  return (
    <Page title={t("common:nav.settings")}>
      <Result query={query}>
        {(settings) => (
          <div className={styles.columns}>
            {error && <Failure error={error} />}
            <div className={styles.column}>
              <Card title={t("look.title")}>
                <Choice<Theme>
                  label={t("look.theme")}
                  direction="row"
                  value={settings.theme}
                  onChange={(theme) => save({ theme })}
                  choices={(["system", "light", "dark"] as const).map((id) => ({
                    id,
                    name: t(`common:theme.${id}`),
                  }))}
                />
                <Language chosen={settings.lang} onChoose={(lang) => save({ lang })} />
                <Autostart />
              </Card>
              <Card title={t("folder.title")}>
                <FolderSetting saved={settings.watch_folder ?? ""} />
              </Card>
              <RecoveryCode />
              <About />
            </div>
            <div className={styles.column}>
              <Card title={t("camera.title")}>
                <CameraChoice
                  value={settings.camera}
                  mirror={settings.mirror}
                  onChange={(camera) => save({ camera })}
                />
                <div>
                  <Switch isSelected={settings.mirror} onChange={(mirror) => save({ mirror })}>
                    {t("camera.mirror")}
                  </Switch>
                  <Switch
                    isSelected={settings.auto_shutter}
                    onChange={(auto_shutter) => save({ auto_shutter })}
                  >
                    {t("camera.auto_shutter")}
                  </Switch>
                  <p className="secondary">{t("camera.auto_shutter_help")}</p>
                </div>
              </Card>
              <People />
            </div>
          </div>
        )}
      </Result>
    </Page>
  );
}

function Language({ chosen, onChoose }: { chosen: Lang | null; onChoose: (lang: Lang) => void }) {
  const { t } = useTranslation("settings");
  const shown = useLang();
  return (
    <Choice<Lang>
      label={t("look.lang")}
      direction="row"
      value={chosen ?? shown}
      onChange={onChoose}
      choices={[
        { id: "ru", name: "Русский" },
        { id: "en", name: "English" },
      ]}
    />
  );
}

function About() {
  const { t } = useTranslation("settings");
  const installation = useInstallation().data;
  const status = useStatus().data;
  const facts: [string, string | null | undefined][] = [
    [t("about.version"), installation?.version],
    [t("about.name"), installation?.device_name],
    [t("about.device"), status?.device],
    [t("about.hub"), installation?.hub],
    [t("about.parks"), status?.parks.map((park) => park.name).join(", ")],
    [t("about.data_dir"), installation?.data_dir],
  ];
  return (
    <Card title={t("about.title")}>
      <dl className={styles.facts}>
        {facts.map(
          ([name, fact]) =>
            fact && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{fact}</dd>
              </div>
            ),
        )}
      </dl>
    </Card>
  );
}
