// What the fake appliance answers by default, with names as long as they come.
import type {
  AttentionView,
  DayPoint,
  Installation,
  PersonView,
  Session,
  Settings,
  SyncView,
} from "../api/desk";
import type { Status } from "../api/queries";
import type { Answers } from "../shared/states";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
export const NOW = Date.now();

export const PARK = { id: "park-1", name: "Таксопарк «Северная звезда»", read_only: false, faces: "search" };

type Partly<T> = { [K in keyof T]?: T[K] extends object | null | undefined ? object | null : T[K] };

export function statusOf(more: Partly<Status> = {}): Status {
  const status: Status = {
    version: "0.4.0",
    device: "0198f2c4-7f3a-7c21-9a40-5d2f0c8e11aa",
    link: { state: "online", last_contact_at_ms: NOW - 12 * SECOND, clock_offset_ms: 340 },
    queue: { commands: 0, files: 0, oldest_age_ms: null, oldest_at_ms: null },
    needs_attention: 0,
    parks: [PARK],
    photos: { matched: 812, pending: 3, total: 1_204, uploaded: 1_190, waiting_for_bytes: 2 },
    unassigned: 3,
    faces: { running: true, pid: 4211, restarts: 0, quarantined: 0, waiting: 0, problem: null },
    watch: {
      folder: "/srv/photo/Входящие",
      state: "watching",
      taken: 128,
      waiting: 0,
      rejected: 1,
      problem: null,
    },
  };
  return { ...status, ...(more as Partial<Status>) };
}

export const PERSON: PersonView = {
  id: "person-1",
  park: PARK.id,
  name: "Константинопольская-Разумовская Александра Владиславовна",
  login: "konstantinopolskaya",
  role: "senior",
  state: "accepted",
};

export const PEOPLE: PersonView[] = [
  PERSON,
  {
    id: "person-2",
    park: PARK.id,
    name: "Ли Ян",
    login: "li",
    role: "photo_staff",
    state: "saved",
  },
  {
    id: "person-3",
    park: PARK.id,
    name: "Мухамметшин Рамиль Габдулхакович",
    login: "ramil",
    role: "operator",
    state: "accepted",
  },
];

export function sessionOf(more: Partial<Session> = {}): Session {
  const people = PEOPLE.map(({ id, name, role }) => ({ id, name, role }));
  const gives = [{ park: PARK.id, roles: ["photo_staff", "operator", "senior", "moderator", "reviewer"] }];
  return { required: true, person: PERSON, people, until_ms: NOW + 60 * HOUR, gives, ...more };
}

export const INSTALLATION: Installation = {
  state: "ready",
  version: "0.4.0",
  lang: "ru",
  data_dir: "/srv/parkdesk/data",
  device_name: "Фотоцентр на Варшавском шоссе",
  hub: "https://hub.severnaya-zvezda.example",
};

export const SETTINGS: Settings = {
  lang: null,
  theme: "system",
  camera: null,
  auto_shutter: false,
  watch_folder: "/srv/photo/Входящие",
  mirror: true,
};

export function syncOf(more: Partial<SyncView> = {}): SyncView {
  return {
    link: statusOf().link,
    policy: { mode: "unmetered", schedule: [] },
    paused_until_ms: null,
    waiting: [],
    waiting_total: 0,
    files: [],
    held: { files: 0, bytes: 0 },
    ...more,
  };
}

/** A working day: nothing at night, a morning rush, an hour without the hub after lunch. */
export function dayOf(now = NOW): DayPoint[] {
  const bucket = 10 * MINUTE;
  const first = Math.floor(now / bucket) * bucket - 143 * bucket;
  return Array.from({ length: 144 }, (_, at) => {
    const wave = Math.max(0, Math.sin(((at - 40) / 100) * Math.PI));
    const offline = at >= 96 && at < 104;
    const sent = offline ? 0 : Math.round(wave * 9 + (at === 104 ? 40 : (at * 7) % 4) * Math.sign(wave));
    return {
      at_ms: first + at * bucket,
      waiting: offline ? (at - 95) * 6 : Math.round(wave * 2),
      sent,
      received: offline ? 0 : Math.round(wave * 22 + ((at * 13) % 7)),
      bytes_up: sent * 1_400_000,
      bytes_down: 40_000,
      problems: at === 97 || at === 101 ? 1 : 0,
    };
  });
}

export const ATTENTION: AttentionView[] = [];

/** Fixtures of other nouns: `fixtures.<noun>.ts` beside this file exports `answers`. */
const others = import.meta.glob<Answers>("./fixtures.*.ts", { eager: true, import: "answers" });

export const ANSWERS: Answers = {
  "GET /api/v1/installation": INSTALLATION,
  "GET /api/v1/session": sessionOf(),
  "GET /api/v1/settings": SETTINGS,
  "PUT /api/v1/settings": (_: URL, change: Partial<Settings>) => ({ ...SETTINGS, ...change }),
  "GET /api/v1/status": statusOf(),
  "GET /api/v1/people": PEOPLE,
  "GET /api/v1/sync": syncOf(),
  "GET /api/v1/sync/day": dayOf(),
  "GET /api/v1/needs-attention": ATTENTION,
  ...Object.assign({}, ...Object.values(others)),
};
