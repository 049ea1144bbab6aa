// The people of this desk: who may sign in, with which role.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { KeyRound, UserMinus, UserPlus } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { desk, type PersonView } from "../api/desk";
import { useSession, useStatus } from "../api/queries";
import { Button, IconButton } from "../shared/Button";
import { Dialog } from "../shared/Dialog";
import { Card } from "../shared/Page";
import { PASS_CODE, PassCode } from "../shared/PassCode";
import { Failure, Result } from "../shared/Result";
import { RecordStatus } from "../shared/Status";
import { useToasts } from "../shared/Toast";
import { PersonForm } from "./PersonForm";
import { givesAny, rolesFor } from "./person";
import styles from "./SettingsPage.module.css";

export function People() {
  const { t } = useTranslation("settings");
  const query = useQuery({ queryKey: ["people"], queryFn: desk.people });
  const session = useSession().data;
  const [adds, setAdds] = useState(false);
  const [changes, setChanges] = useState<PersonView>();
  const [leaves, setLeaves] = useState<PersonView>();
  const mayAdd = givesAny(session?.gives);
  /** Whom one may change and remove; nobody removes themselves. */
  const isMine = ({ park, role }: PersonView) => rolesFor(session?.gives, park).some((one) => one === role);
  return (
    <Card
      title={t("people.title")}
      aside={
        mayAdd && (
          <Button size="small" onPress={() => setAdds(true)}>
            <UserPlus size={16} aria-hidden="true" />
            {t("people.add")}
          </Button>
        )
      }
    >
      <Result query={query} empty={(people) => (people.length === 0 ? <p>{t("people.none")}</p> : undefined)}>
        {(people) => (
          <ul className={styles.people}>
            {people.map((person) => (
              <li key={person.id} className={styles.person}>
                <span className={styles.name}>
                  <span>{person.name}</span>
                  <span className="secondary">
                    <RoleName role={person.role} /> · {person.login}
                  </span>
                </span>
                {person.state !== "accepted" && <RecordStatus state={person.state} />}
                <span className={styles.tools}>
                  {(isMine(person) || session?.person?.id === person.id) && (
                    <IconButton
                      label={t("people.change_pass_code", { name: person.name })}
                      onPress={() => setChanges(person)}
                    >
                      <KeyRound size={18} />
                    </IconButton>
                  )}
                  {isMine(person) && session?.person?.id !== person.id && (
                    <IconButton
                      label={t("people.remove", { name: person.name })}
                      onPress={() => setLeaves(person)}
                    >
                      <UserMinus size={18} />
                    </IconButton>
                  )}
                </span>
              </li>
            ))}
          </ul>
        )}
      </Result>
      {adds && <Add onClose={() => setAdds(false)} />}
      {changes && <ChangePassCode person={changes} onClose={() => setChanges(undefined)} />}
      {leaves && <Remove person={leaves} onClose={() => setLeaves(undefined)} />}
    </Card>
  );
}

function RoleName({ role }: { role: string }) {
  const { t } = useTranslation("common");
  return t(`role.${role}`, { defaultValue: role });
}

function Add({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation(["settings", "common"]);
  const queries = useQueryClient();
  const { tell } = useToasts();
  const parks = useStatus().data?.parks ?? [];
  const session = useSession().data;
  const add = useMutation({
    mutationFn: desk.addPerson,
    onSuccess: (person) => {
      for (const key of ["people", "session"]) void queries.invalidateQueries({ queryKey: [key] });
      tell({ text: t("people.added", { name: person.name }) });
      onClose();
    },
  });
  return (
    <Dialog isOpen onClose={onClose} title={t("people.add_title")}>
      <PersonForm
        parks={parks}
        firstRole={session?.required ? "photo_staff" : "senior"}
        gives={session?.gives}
        error={add.error}
        onSend={(person) => add.mutate(person)}
      >
        <FormActions onClose={onClose} main={t("people.add")} isBusy={add.isPending} />
      </PersonForm>
    </Dialog>
  );
}

function Remove({ person, onClose }: { person: PersonView; onClose: () => void }) {
  const { t } = useTranslation(["settings", "common"]);
  const queries = useQueryClient();
  const { tell } = useToasts();
  const remove = useMutation({
    mutationFn: () => desk.removePerson(person.id),
    onSuccess: () => {
      for (const key of ["people", "session"]) void queries.invalidateQueries({ queryKey: [key] });
      tell({ text: t("people.removed", { name: person.name }) });
      onClose();
    },
  });
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={t("people.remove_title")}
      actions={
        <>
          <Button autoFocus onPress={onClose}>
            {t("common:cancel")}
          </Button>
          <Button tone="danger" isDisabled={remove.isPending} onPress={() => remove.mutate()}>
            {t("people.remove_do")}
          </Button>
        </>
      }
    >
      <p>{t("people.remove_text", { name: person.name })}</p>
      {remove.error && <Failure error={remove.error} />}
    </Dialog>
  );
}

function ChangePassCode({ person, onClose }: { person: PersonView; onClose: () => void }) {
  const { t } = useTranslation(["settings", "common"]);
  const { tell } = useToasts();
  const [code, setCode] = useState("");
  const [wasSent, setWasSent] = useState(false);
  const isShort = [...code].length < PASS_CODE.least;
  const change = useMutation({
    mutationFn: () => desk.setPassCode(person.id, code),
    onSuccess: () => {
      tell({ text: t("people.pass_code_changed", { name: person.name }) });
      onClose();
    },
  });
  return (
    <Dialog isOpen onClose={onClose} title={t("people.change_pass_code", { name: person.name })}>
      <form
        className={styles.columns}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setWasSent(true);
          if (!isShort && !change.isPending) change.mutate();
        }}
      >
        <PassCode
          label={t("people.new_pass_code")}
          help={t("people.pass_code_help")}
          autoFocus
          autoComplete="new-password"
          value={code}
          onChange={setCode}
          error={wasSent && isShort ? t("people.lacks.pass_code_short") : undefined}
        />
        {change.error && <Failure error={change.error} />}
        <FormActions onClose={onClose} main={t("common:save")} isBusy={change.isPending} />
      </form>
    </Dialog>
  );
}

function FormActions({ onClose, main, isBusy }: { onClose: () => void; main: string; isBusy: boolean }) {
  const { t } = useTranslation("common");
  return (
    <div className={styles.actions}>
      <Button onPress={onClose}>{t("cancel")}</Button>
      <Button type="submit" tone="primary" isDisabled={isBusy}>
        {main}
      </Button>
    </div>
  );
}
