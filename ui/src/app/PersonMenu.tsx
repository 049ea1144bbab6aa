// Who is at the desk, with the look and the language, and the way out.
import { Check, ChevronDown, LogOut, Settings, UserRound } from "lucide-react";
import { Button, Header, Menu, MenuItem, MenuSection, MenuTrigger, Popover } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import type { Lang, Theme } from "../api/desk";
import { useSaveSettings, useSession, useSettings } from "../api/queries";
import { initials } from "../shared/format";
import { useLang } from "../shared/lang";
import { speak } from "./i18n";
import styles from "./PersonMenu.module.css";
import { useSignOut } from "./useActions";

export function PersonMenu() {
  const { t } = useTranslation("common");
  const [, go] = useLocation();
  const person = useSession().data?.person;
  const lang = useLang();
  const theme = useSettings().data?.theme ?? "system";
  const { mutate: save } = useSaveSettings();
  const signOut = useSignOut();
  const name = person?.name ?? t("menu.nobody");
  const role = person ? t(`role.${person.role}`, { defaultValue: person.role }) : t("menu.nobody_help");
  return (
    <MenuTrigger>
      <Button className={styles.button}>
        <span className="visually-hidden">{t("menu.label", { name })}</span>
        <span className={styles.avatar} aria-hidden="true">
          {person ? initials(person.name) : <UserRound size={18} />}
        </span>
        <ChevronDown size={14} aria-hidden="true" />
      </Button>
      <Popover className={styles.popover} placement="bottom end">
        <div className={styles.who}>
          <strong>{name}</strong>
          <span className="secondary">{role}</span>
        </div>
        <Menu
          className={styles.menu}
          aria-label={t("menu.label", { name })}
          onAction={(key) => {
            if (key === "settings") go("/settings");
            if (key === "out") signOut();
          }}
        >
          <Choices<Theme>
            title={t("menu.theme")}
            chosen={theme}
            choices={{ system: t("theme.system"), light: t("theme.light"), dark: t("theme.dark") }}
            onChoose={(choice) => save({ theme: choice })}
          />
          <Choices<Lang>
            title={t("menu.lang")}
            chosen={lang}
            choices={{ ru: "Русский", en: "English" }}
            onChoose={(choice) => void speak(choice).then(() => save({ lang: choice }))}
          />
          <MenuSection className={styles.section} aria-label={t("menu.more")}>
            <MenuItem id="settings" className={styles.row}>
              <Settings size={16} aria-hidden="true" />
              {t("nav.settings")}
            </MenuItem>
            {person && (
              <MenuItem id="out" className={styles.row}>
                <LogOut size={16} aria-hidden="true" />
                {t("menu.sign_out")}
              </MenuItem>
            )}
          </MenuSection>
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}

interface ChoicesProps<T extends string> {
  title: string;
  chosen: T;
  choices: Record<T, string>;
  onChoose: (choice: T) => void;
}

function Choices<T extends string>({ title, chosen, choices, onChoose }: ChoicesProps<T>) {
  return (
    <MenuSection
      className={styles.section}
      selectionMode="single"
      disallowEmptySelection
      selectedKeys={[chosen]}
      onSelectionChange={(keys) => {
        const [key] = keys;
        if (key !== undefined && key !== chosen) onChoose(key as T);
      }}
    >
      <Header className={styles.group}>{title}</Header>
      {(Object.keys(choices) as T[]).map((key) => (
        <MenuItem key={key} id={key} textValue={choices[key]} className={styles.row}>
          {({ isSelected }) => (
            <>
              <span className={styles.check}>{isSelected && <Check size={16} aria-hidden="true" />}</span>
              {choices[key]}
            </>
          )}
        </MenuItem>
      ))}
    </MenuSection>
  );
}
