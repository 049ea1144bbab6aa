// A driver who is not in the list yet: saved here at once, sent when there is a link.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../api/client";
import { createDriver } from "../api/drivers";
import { asProblem } from "../api/problem";
import { Button } from "../shared/Button";
import { Dialog } from "../shared/Dialog";
import { TextField } from "../shared/Field";
import { Failure } from "../shared/Result";
import { Select } from "../shared/Select";
import { useToasts } from "../shared/Toast";
import styles from "./NewDriver.module.css";
import { useParks } from "./useParks";

const TEXTS = ["last_name", "first_name", "middle_name", "phone", "plate", "licence_number"] as const;
type Text = (typeof TEXTS)[number];

export interface NewDriverProps {
  isOpen: boolean;
  /** What was searched for: most likely the name. */
  typed: string;
  onClose: () => void;
  onMade: (driver: Schemas["DriverView"]) => void;
}

export function NewDriver({ isOpen, onClose, ...rest }: NewDriverProps) {
  const { t } = useTranslation("driver");
  return (
    <Dialog isOpen={isOpen} onClose={onClose} title={t("new.title")} wide>
      <Form onClose={onClose} {...rest} />
    </Dialog>
  );
}

/** What was typed into the search as the beginning of a form. */
export function guess(typed: string): Partial<Record<Text, string>> {
  if (/^[\d+()\s-]{6,}$/.test(typed)) return { phone: typed };
  if (/\d/.test(typed)) return { plate: typed };
  const [last_name, first_name, ...middle] = typed
    .split(/\s+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return { last_name: last_name ?? "", first_name: first_name ?? "", middle_name: middle.join(" ") };
}

function Form({ typed, onClose, onMade }: Omit<NewDriverProps, "isOpen">) {
  const { t } = useTranslation("driver");
  const { t: common } = useTranslation("common");
  const toasts = useToasts();
  const queries = useQueryClient();
  const parks = useParks().filter((park) => !park.read_only);
  const [chosen, choose] = useState<string>();
  const [values, setValues] = useState<Partial<Record<Text, string>>>(() => guess(typed));
  const [missing, setMissing] = useState(false);
  const park = chosen ?? parks[0]?.id ?? "";
  const value = (name: Text) => values[name]?.trim() ?? "";

  const save = useMutation({
    mutationFn: () =>
      createDriver({
        park,
        last_name: value("last_name"),
        first_name: value("first_name"),
        middle_name: value("middle_name") || null,
        phones: value("phone") ? [value("phone")] : [],
        plate: value("plate") || null,
        licence_number: value("licence_number") || null,
      }),
    onSuccess: (driver) => {
      toasts.tell({ text: t("new.saved", { name: driver.name }) });
      void queries.invalidateQueries({ queryKey: ["drivers"] });
      onClose();
      onMade(driver);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const isMissing = value("last_name") === "" || value("first_name") === "";
    setMissing(isMissing);
    if (!isMissing && !save.isPending) save.mutate();
  };
  const problem = save.error ? asProblem(save.error) : undefined;
  const errorOf = (name: Text) => {
    if (missing && (name === "last_name" || name === "first_name") && value(name) === "")
      return t("error.required");
    return problem?.detail === name || (problem?.detail === "phones" && name === "phone")
      ? t(`error.${name}`)
      : undefined;
  };
  return (
    <form className={styles.form} onSubmit={submit} noValidate>
      {parks.length > 1 && (
        <div className={styles.wide}>
          <Select
            label={t("park")}
            value={park}
            onChange={choose}
            choices={parks.map((one) => ({ id: one.id, name: one.name }))}
          />
        </div>
      )}
      {TEXTS.map((name, index) => (
        <TextField
          key={name}
          autoFocus={index === 0}
          label={t(`field.${name}`)}
          value={values[name] ?? ""}
          onChange={(text) => setValues((all) => ({ ...all, [name]: text }))}
          isRequired={name === "last_name" || name === "first_name"}
          error={errorOf(name)}
        />
      ))}
      {problem && !TEXTS.some(errorOf) && (
        <div className={styles.wide}>
          <Failure error={problem} />
        </div>
      )}
      <div className={styles.actions}>
        <Button onPress={onClose}>{common("cancel")}</Button>
        <Button type="submit" tone="primary" hint="Enter">
          {common("save")}
        </Button>
      </div>
    </form>
  );
}
