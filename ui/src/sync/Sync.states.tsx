import type { AttentionView, FileTransfer, WaitingView } from "../api/desk";
import { PARK, statusOf, syncOf } from "../dev/fixtures";
import { problem, type State, type States } from "../shared/states";
import { NO_BATCH, pillOf } from "./pill";
import { PillView } from "./SyncPill";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const now = Date.now();

const NAMES = [
  "Константинопольская-Разумовская Александра Владиславовна",
  "Орлов Семён Ильич",
  "Мухамметшин Рамиль Габдулхакович",
  "Ли Ян",
  "Абдурахмонов Шохрух Мирзоевич",
];
const KINDS = ["photo.capture", "driver.edit", "photo.capture", "driver.create", "match.decide"];
const nameOf = (at: number) => NAMES[at % NAMES.length] ?? "";

const waiting = (count: number): WaitingView[] =>
  Array.from({ length: count }, (_, at) => ({
    id: `w${at}`,
    kind: KINDS[at % KINDS.length] ?? "",
    subject: { kind: "driver", id: `d${at}`, park: PARK.id, name: at === 4 ? null : nameOf(at) },
    at_ms: now - (count - at) * 7 * MINUTE,
    state: at % 3 === 1 ? "sent" : "saved",
    by: at % 2 === 0 ? "Ли Ян" : null,
  }));

const file = (at: number, more: Partial<FileTransfer>): FileTransfer => ({
  photo: `p${at}`,
  driver_name: nameOf(at),
  class: "original",
  direction: "up",
  size_bytes: 3_400_000 + at * 10_000,
  done_bytes: 0,
  state: "waiting",
  ...more,
});

const offline = statusOf({
  link: {
    state: "offline",
    last_contact_at_ms: now - 3 * HOUR,
    next_try_at_ms: now + 42_000,
    last_problem: { code: "hub_unreachable", message: "the hub does not answer", at_ms: now - MINUTE },
  },
  queue: { commands: 14, files: 40 },
});

const entry = (more: Partial<AttentionView>): AttentionView => ({
  id: "1",
  kind: "refused",
  command: "driver.create",
  input: {},
  reason: "licence_taken",
  reason_text: "another driver of the park has this licence",
  reason_ru: "удостоверение уже у другого водителя парка",
  reason_en: "another driver of the park has this licence",
  field: null,
  conflicts: [],
  created_at_ms: now - 26 * MINUTE,
  offers: ["retry", "edit", "discard"],
  subject: { kind: "driver", id: "d1", park: PARK.id, name: nameOf(1) },
  ...more,
});

const ATTENTION: AttentionView[] = [
  entry({
    id: "1",
    kind: "conflict",
    command: "driver.edit",
    reason: "conflict",
    reason_ru: "кто-то уже изменил это: выберите значение",
    reason_en: "somebody changed it meanwhile: choose a value",
    input: {
      driver: "d0",
      park: PARK.id,
      fields: { last_name: { was: "Константинопольская", now: nameOf(0) } },
    },
    conflicts: [
      { field: "last_name", wanted: "Константинопольская-Разумовская", stands: "Разумовская" },
      { field: "comment", wanted: "Работает только ночью, просила не звонить до обеда", stands: null },
    ],
    subject: { kind: "driver", id: "d0", park: PARK.id, name: nameOf(0) },
  }),
  entry({
    id: "2",
    field: "licence",
    offers: ["retry", "edit", "use_offer", "discard"],
    input: {
      driver: "d1",
      park: PARK.id,
      last_name: "Орлов",
      first_name: "Семён",
      middle_name: "Ильич",
      phones: ["+79037654321", "+79161234567"],
      licence: { country: "rus", number: "99 ХЕ 654321", expires_on: "2031-04-12" },
      plate: "К777ОМ99",
    },
  }),
  entry({
    id: "3",
    command: "photo.capture",
    reason: "not_allowed",
    reason_ru: "нет права на это действие: обратитесь к администратору",
    reason_en: "no right to do this: ask the administrator",
    input: {
      photo: "p",
      park: PARK.id,
      driver: "d2",
      source: "camera",
      captured_at_ms: now - HOUR,
      thumb: {},
    },
    offers: ["retry", "discard"],
    subject: { kind: "photo", id: "p", park: PARK.id, name: nameOf(2) },
  }),
  entry({
    id: "4",
    kind: "parked_blob",
    command: null,
    reason: null,
    reason_ru: "файл не удалось передать: отправьте ещё раз или переснимите",
    reason_en: "a file could not be sent or fetched: try again, or take the photo once more",
    subject: null,
    input: null,
    offers: ["retry", "discard"],
  }),
];

const settling = (id: string): State => ({
  page: `/sync?entry=${id}`,
  answers: {
    "GET /api/v1/status": statusOf({ needs_attention: 4 }),
    "GET /api/v1/needs-attention": ATTENTION,
    "GET /api/v1/sync": syncOf({ waiting: waiting(3), waiting_total: 3 }),
  },
});

const page = (answers: State["answers"]): State => ({ page: "/sync", ...(answers ? { answers } : {}) });
const pill = (more: Parameters<typeof statusOf>[0], batch = NO_BATCH): State => ({
  render: () => (
    <div style={{ display: "flex" }}>
      <PillView pill={pillOf(statusOf(more), batch)} now={now} />
    </div>
  ),
});
const link = (state: string, more: object = {}) => ({ state, last_contact_at_ms: now - 12_000, ...more });
const sending = {
  files_left: 38,
  bytes_done: 41e6,
  bytes_total: 133e6,
  rate_bytes_s: 780_000,
  left_ms: 118_000,
};

export const states: States = {
  "pill: synced": pill({ link: link("online") }),
  "pill: waiting": pill({ link: link("online"), queue: { commands: 2, files: 1 } }),
  "pill: sending": pill({ link: link("online", { sending }) }, { total: 40, left: 38 }),
  "pill: offline": pill({
    link: link("offline", { last_contact_at_ms: now - 26 * HOUR }),
    queue: { commands: 9, files: 5 },
  }),
  "pill: offline with attention": pill({
    link: link("offline"),
    queue: { commands: 21, files: 0 },
    needs_attention: 2,
  }),
  "pill: attention": pill({ link: link("online"), needs_attention: 2 }),
  "pill: paused": pill({ link: link("paused", { next_try_at_ms: now + HOUR }) }),
  "pill: starting": pill({ link: link("starting") }),
  "pill: revoked": pill({ link: link("revoked") }),
  "all is sent": page(undefined),
  offline: page({
    "GET /api/v1/status": offline,
    "GET /api/v1/sync": syncOf({
      link: offline.link,
      waiting: waiting(14),
      waiting_total: 14,
      files: Array.from({ length: 40 }, (_, at) => file(at, {})),
    }),
  }),
  "sending, needs attention": page({
    "GET /api/v1/status": statusOf({ link: link("online", { sending }), needs_attention: 4 }),
    "GET /api/v1/needs-attention": ATTENTION,
    "GET /api/v1/sync": syncOf({
      link: { ...statusOf().link, sending, clock_offset_ms: 320_000 },
      policy: { mode: "metered", schedule: [{ days: [1, 2, 3, 4, 5], from: "22:00", to: "06:00" }] },
      waiting: waiting(3),
      waiting_total: 3,
      files: [
        file(0, { state: "moving", done_bytes: 1_900_000 }),
        file(1, { state: "parked" }),
        file(2, { class: "portrait" }),
        file(3, { state: "held" }),
        file(4, { direction: "down", class: "thumb", size_bytes: 14_000 }),
      ],
      held: { files: 12, bytes: 41_000_000 },
    }),
  }),
  "a conflict to settle": settling("1"),
  "a refusal to settle": settling("2"),
  "a photo to settle": settling("3"),
  "paused, 1,214 waiting": page({
    "GET /api/v1/status": statusOf({
      link: link("paused", { next_try_at_ms: now + HOUR }),
      queue: { commands: 1_214, files: 0 },
    }),
    "GET /api/v1/sync": syncOf({
      link: { ...statusOf().link, state: "paused" },
      paused_until_ms: now + HOUR,
      waiting: waiting(200),
      waiting_total: 1_214,
    }),
  }),
  "the appliance failed": page({ "GET /api/v1/sync": problem(500, "internal", "disk I/O error") }),
};
