import { Camera, Inbox, Trash2 } from "lucide-react";
import { useEffect } from "react";
import { Problem } from "../api/problem";
import { statusOf } from "../dev/fixtures";
import { Button, IconButton } from "./Button";
import { Choice } from "./Choice";
import { Dialog } from "./Dialog";
import { Switch, TextField, Tick } from "./Field";
import { Freshness } from "./Freshness";
import { Card } from "./Page";
import { PassCode } from "./PassCode";
import { Picture, photoPath } from "./Picture";
import { Empty, Failure, Skeleton } from "./Result";
import { Select } from "./Select";
import { PhotoStatus, RecordStatus } from "./Status";
import type { States } from "./states";
import { useToasts } from "./Toast";

const none = () => {};
const row = { display: "flex", flexWrap: "wrap", alignItems: "center", gap: 8 } as const;
const column = { display: "grid", gap: 16, maxWidth: 420 } as const;

function Told() {
  const { tell } = useToasts();
  useEffect(() => {
    tell({ text: "Фото водителя «Константинопольская-Разумовская Александра» сохранено здесь", undo: none });
    tell({ text: "Отменить не получилось: изменение осталось", tone: "bad" });
  }, [tell]);
  return (
    <main style={{ padding: 24 }}>
      <h1>Two messages stand in the corner</h1>
    </main>
  );
}

export const states: States = {
  buttons: {
    render: () => (
      <div style={row}>
        <Button tone="primary">Primary</Button>
        <Button tone="primary" hint="Enter">
          With a key
        </Button>
        <Button>Plain</Button>
        <Button tone="quiet">Quiet</Button>
        <Button tone="danger">Danger</Button>
        <Button isDisabled>Disabled</Button>
        <Button size="small">Small</Button>
        <Button size="large" tone="primary">
          <Camera size={20} aria-hidden="true" />
          Large
        </Button>
        <IconButton label="Discard">
          <Trash2 size={18} />
        </IconButton>
      </div>
    ),
  },
  fields: {
    render: () => (
      <div style={column}>
        <TextField
          label="Фамилия"
          help="Как в удостоверении"
          value="Константинопольская-Разумовская"
          onChange={none}
        />
        <TextField
          label="Телефон"
          error="В номере не хватает цифр: нужно 11"
          value="+7 916"
          onChange={none}
        />
        <TextField label="Заметка" multiline placeholder="Необязательно" />
        <TextField label="Парк" isDisabled value="Только для чтения" />
        <PassCode label="Код входа" value="123456" onChange={none} />
        <Select
          label="Роль"
          value="operator"
          onChange={none}
          choices={[
            { id: "operator", name: "Диспетчер" },
            { id: "senior", name: "Старший диспетчер" },
          ]}
        />
        <Choice
          label="Тема"
          value="light"
          direction="row"
          onChange={none}
          choices={[
            { id: "light", name: "Светлая" },
            { id: "dark", name: "Тёмная" },
          ]}
        />
        <Choice
          label="Фамилия"
          value={undefined}
          onChange={none}
          choices={[
            { id: "own", name: "Орлова", help: "Ваше значение" },
            { id: "theirs", name: "Орловская", help: "Сейчас в парке" },
          ]}
        />
        <Switch isSelected onChange={none}>
          Зеркально
        </Switch>
        <Switch isSelected={false} onChange={none}>
          Снимать самому
        </Switch>
        <Tick isSelected onChange={none}>
          Код распечатан и хранится в надёжном месте
        </Tick>
      </div>
    ),
  },
  statuses: {
    render: () => (
      <div style={row}>
        {(["saved", "sent", "accepted", "refused", "conflict"] as const).map((state) => (
          <RecordStatus key={state} state={state} />
        ))}
        {["new", "waiting_for_bytes", "needs_moderation", "approved", "rejected", "error", "other", null].map(
          (status) => (
            <PhotoStatus key={status} status={status} />
          ),
        )}
      </div>
    ),
  },
  "data three hours old": {
    render: () => <Freshness />,
    answers: {
      "GET /api/v1/status": statusOf({
        link: { state: "offline", last_contact_at_ms: Date.now() - 3 * 3_600_000 },
      }),
    },
  },
  pictures: {
    render: () => (
      <div style={row}>
        {[photoPath("p1", "thumb"), undefined].map((path) => (
          <span key={path ?? "none"} style={{ width: 96 }}>
            <Picture path={path} alt="Орлов Семён" name="Орлов Семён" />
          </span>
        ))}
      </div>
    ),
  },
  loading: { render: () => <Skeleton lines={4} /> },
  empty: {
    render: () => (
      <Card>
        <Empty icon={<Inbox size={28} />} title="Здесь появятся снимки без водителя">
          <p>Положите фото в папку, и оно появится здесь, если по имени файла не понять, кто на нём.</p>
          <Button tone="primary">Выбрать папку</Button>
        </Empty>
      </Card>
    ),
  },
  "a failure": {
    render: () => <Failure error={new Problem("disk_full", "no space left", 507)} onRetry={none} />,
  },
  messages: { whole: () => <Told /> },
  "a question": {
    whole: () => (
      <Dialog
        isOpen
        onClose={none}
        title="Отказаться от этого изменения?"
        actions={
          <>
            <Button>Отмена</Button>
            <Button tone="danger">Отказаться</Button>
          </>
        }
      >
        <p>Изменение не попадёт в парк, вернуть его нельзя.</p>
      </Dialog>
    ),
  },
};
