// Where the hub is, the administrator's code, and what this appliance is called there.
import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { desk, type Enrolled } from "../api/desk";
import { asProblem } from "../api/problem";
import { Button } from "../shared/Button";
import { TextField } from "../shared/Field";
import { Failure, problemText } from "../shared/Result";
import styles from "./Setup.module.css";
import { StepActions, type StepProps } from "./StepActions";
import { fieldOf, hubAddress, type Input, missing } from "./steps";

export interface HubStepProps extends StepProps {
  input: Input;
  onInput: (input: Input) => void;
  besideOld: boolean;
  onEnrolled: (enrolled: Enrolled) => void;
}

export function HubStep({ input, onInput, besideOld, onEnrolled, onBack }: HubStepProps) {
  const { t } = useTranslation(["setup", "common"]);
  const [wasSent, setWasSent] = useState(false);
  const [hasCa, setHasCa] = useState(input.ca !== "");
  const lacks = missing(input);
  const enrol = useMutation({
    mutationFn: () =>
      desk.enrol({
        hub: hubAddress(input.hub) ?? input.hub,
        code: input.code.trim(),
        name: input.name.trim(),
        ...(besideOld ? { beside_old: true } : {}),
        ...(input.ca.trim() === "" ? {} : { ca: input.ca.trim() }),
      }),
    onSuccess: onEnrolled,
  });
  const failure = enrol.error ? asProblem(enrol.error) : undefined;
  const failedField = failure?.code === "enrol_failed" ? fieldOf(failure.detail) : undefined;
  const showsCa = hasCa || failedField === "ca";
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (failedField) focus(form.current, failedField);
  }, [failedField]);

  const field = (name: keyof Input) => ({
    name,
    value: input[name],
    onChange: (value: string) => {
      if (enrol.error && failedField === name) enrol.reset();
      onInput({ ...input, [name]: value });
    },
    error:
      failedField === name
        ? problemText(t, failure)
        : wasSent && lacks[name]
          ? t(`hub.lacks.${name}_${lacks[name]}`)
          : undefined,
  });
  return (
    <form
      ref={form}
      className={styles.step}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setWasSent(true);
        const [first] = Object.keys(lacks);
        if (first) focus(form.current, first);
        else if (!enrol.isPending) enrol.mutate();
      }}
    >
      <p>{t(besideOld ? "hub.text_beside" : "hub.text")}</p>
      <TextField
        label={t("hub.address")}
        placeholder="hub.park.example"
        autoFocus
        inputMode="url"
        autoComplete="off"
        {...field("hub")}
      />
      <TextField label={t("hub.code")} help={t("hub.code_help")} autoComplete="off" {...field("code")} />
      <TextField label={t("hub.name")} help={t("hub.name_help")} autoComplete="off" {...field("name")} />
      {showsCa ? (
        <TextField
          label={t("hub.ca")}
          help={t("hub.ca_help")}
          multiline
          placeholder="-----BEGIN CERTIFICATE-----"
          {...field("ca")}
        />
      ) : (
        <Button tone="quiet" size="small" className={styles.more ?? ""} onPress={() => setHasCa(true)}>
          {t("hub.ca_more")}
        </Button>
      )}
      {failure && !failedField && <Failure error={failure} />}
      <StepActions onBack={onBack}>
        <Button type="submit" tone="primary" isDisabled={enrol.isPending}>
          {enrol.isPending ? t("hub.sending") : t("hub.send")}
        </Button>
      </StepActions>
    </form>
  );
}

/** The field at fault has the focus, ready to be typed over. */
function focus(form: HTMLFormElement | null, name: string): void {
  const field = form?.elements.namedItem(name);
  if (!(field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement)) return;
  field.focus();
  field.select();
}
