import { INSTALLATION, SETTINGS, sessionOf } from "../dev/fixtures";
import { Frame } from "../shared/Frame";
import { problem, type State, type States } from "../shared/states";
import { NoKey } from "./NoKey";
import { RecoveryStep } from "./RecoveryStep";
import { Setup } from "./Setup";
import type { Step } from "./steps";

const nobody = sessionOf({ required: false, person: null, people: [] });
const none = () => {};

const step = (name: Step, answers: State["answers"] = {}): State => ({
  whole: () => <Setup step={name} besideOld={false} onStep={none} onLang={none} />,
  answers: {
    "GET /api/v1/session": nobody,
    "GET /api/v1/settings": { ...SETTINGS, watch_folder: null },
    ...answers,
  },
});

const noKey = (looked_in: "keyring" | "file", has_recovery_copy: boolean): State => ({
  whole: () => (
    <NoKey
      installation={{
        ...INSTALLATION,
        state: "no_key",
        no_key: {
          looked_in,
          place: looked_in === "keyring" ? "org.freedesktop.secrets" : "/media/usb/parkdesk.key",
          why_ru:
            looked_in === "keyring" ? "хранилище ключей закрыто: locked" : "ключа от этих данных там нет",
          why_en: looked_in === "keyring" ? "the keyring is locked: locked" : "it holds no key for this data",
          has_recovery_copy,
        },
      }}
      onEnrol={none}
    />
  ),
});

export const states: States = {
  "a new installation": {
    page: "/",
    answers: { "GET /api/v1/installation": { ...INSTALLATION, state: "new" } },
  },
  hub: step("hub", { "POST /api/v1/installation/enrol": problem(409, "enrol_failed", "expired_code") }),
  recovery: {
    whole: () => (
      <Frame title="Код восстановления · Recovery code">
        <RecoveryStep
          code="K7QF-3MWD-90XB-5TZA-HH2C-E8RN-4VPY-6JS1"
          name="Фотоцентр на Варшавском шоссе"
          onCode={none}
          onNext={none}
          onBack={undefined}
        />
      </Frame>
    ),
  },
  "recovery after a reload": step("recovery"),
  camera: step("camera"),
  folder: step("folder"),
  person: step("person"),
  "person, the hub has people already": step("person", {
    "GET /api/v1/session": sessionOf({ person: null }),
  }),
  done: step("done"),
  "no key in the keyring": noKey("keyring", true),
  "no key file, no recovery copy": noKey("file", false),
  ...Object.fromEntries(
    (["newer", "damaged", "other"] as const).map((code): [string, State] => [
      `data unreadable: ${code}`,
      {
        page: "/",
        answers: {
          "GET /api/v1/installation": {
            ...INSTALLATION,
            state: "unreadable",
            problem: { code, message: "replica.db: file is not a database (26)" },
          },
        },
      },
    ]),
  ),
};
