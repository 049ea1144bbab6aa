// The first person of this desk, signed in at once.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { desk, type NewPerson } from "../api/desk";
import { useSession, useStatus } from "../api/queries";
import { PersonForm } from "../settings/PersonForm";
import { givesAny } from "../settings/person";
import { Button } from "../shared/Button";
import { StepActions, type StepProps } from "./StepActions";

export function PersonStep({ onNext, onBack }: StepProps) {
  const { t } = useTranslation("setup");
  const queries = useQueryClient();
  const session = useSession().data;
  const parks = useStatus().data?.parks ?? [];
  const add = useMutation({
    mutationFn: async (person: NewPerson) => {
      const added = await desk.addPerson(person);
      return desk.signIn(added.id, person.pass_code);
    },
    onSuccess: (signedIn) => {
      queries.setQueryData(["session"], signedIn);
      onNext();
    },
  });
  if (session?.required) return <NobodyToAdd text={t("person.already")} onNext={onNext} onBack={onBack} />;
  if (!givesAny(session?.gives))
    return <NobodyToAdd text={t("person.cannot")} onNext={onNext} onBack={onBack} />;
  return (
    <>
      <p>{t("person.text")}</p>
      <PersonForm
        parks={parks}
        firstRole="senior"
        gives={session?.gives}
        error={add.error}
        onSend={(person) => {
          if (!add.isPending) add.mutate(person);
        }}
      >
        <StepActions onBack={onBack}>
          <Button tone="quiet" onPress={onNext}>
            {t("person.skip")}
          </Button>
          <Button type="submit" tone="primary" isDisabled={add.isPending}>
            {t("person.add")}
          </Button>
        </StepActions>
      </PersonForm>
    </>
  );
}

/** The hub knows people of this park already, or they are added elsewhere: one of them signs in after set-up. */
function NobodyToAdd({ text, onNext, onBack }: StepProps & { text: string }) {
  const { t } = useTranslation("setup");
  return (
    <>
      <p>{text}</p>
      <StepActions onBack={onBack}>
        <Button tone="primary" autoFocus onPress={onNext}>
          {t("next")}
        </Button>
      </StepActions>
    </>
  );
}
