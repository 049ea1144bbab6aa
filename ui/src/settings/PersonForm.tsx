// A new person: name, login, role, pass code. Errors stand at their fields.
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../api/client";
import type { NewPerson, Role, Session } from "../api/desk";
import { asProblem } from "../api/problem";
import { TextField } from "../shared/Field";
import { PassCode } from "../shared/PassCode";
import { Failure } from "../shared/Result";
import { Select } from "../shared/Select";
import styles from "./PersonForm.module.css";
import { lacksOf, loginOf, rolesFor } from "./person";

export interface PersonFormProps {
  parks: readonly Schemas["ParkView"][];
  /** The role offered first. */
  firstRole: Role;
  /** What whoever adds may give. */
  gives: Session["gives"] | undefined;
  error: unknown;
  onSend: (person: NewPerson) => void;
  /** The buttons. */
  children: ReactNode;
}

export function PersonForm({ parks, firstRole, gives, error, onSend, children }: PersonFormProps) {
  const { t } = useTranslation(["settings", "common"]);
  const [name, setName] = useState("");
  const [typedLogin, setLogin] = useState<string>();
  const [typedRole, setRole] = useState(firstRole);
  const [typedPark, setPark] = useState<string>();
  const [passCode, setPassCode] = useState("");
  const [wasSent, setWasSent] = useState(false);
  const park = typedPark ?? parks[0]?.id ?? "";
  const roles = rolesFor(gives, park);
  const role = roles.includes(typedRole) ? typedRole : (roles[0] ?? typedRole);
  const login = typedLogin ?? loginOf(name);
  const person: NewPerson = { park, name: name.trim(), login: login.trim(), role, pass_code: passCode };
  const lacks = lacksOf(person);
  const lack = (field: keyof NewPerson) =>
    wasSent && lacks[field] ? t(`people.lacks.${field}_${lacks[field]}`) : undefined;
  const isLoginTaken = error !== null && error !== undefined && asProblem(error).detail === "login_taken";
  return (
    <form
      className={styles.form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setWasSent(true);
        if (Object.keys(lacks).length === 0) onSend(person);
      }}
    >
      <TextField
        label={t("people.name")}
        help={t("people.name_help")}
        autoFocus
        autoComplete="off"
        value={name}
        onChange={setName}
        error={lack("name")}
      />
      <div className={styles.pair}>
        <TextField
          label={t("people.login")}
          autoComplete="off"
          value={login}
          onChange={setLogin}
          error={isLoginTaken ? t("people.login_taken") : lack("login")}
        />
        <Select<Role>
          label={t("people.role")}
          value={role}
          onChange={setRole}
          choices={roles.map((id) => ({ id, name: t(`common:role.${id}`) }))}
        />
      </div>
      {parks.length > 1 && (
        <Select label={t("people.park")} value={park} onChange={setPark} choices={[...parks]} />
      )}
      <PassCode
        label={t("common:pass_code.label")}
        help={t("people.pass_code_help")}
        autoComplete="new-password"
        value={passCode}
        onChange={setPassCode}
        error={lack("pass_code")}
      />
      {error && !isLoginTaken ? <Failure error={error} /> : null}
      {children}
    </form>
  );
}
