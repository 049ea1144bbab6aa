// Drivers, shots and the tray as the gallery shows them: long names, every status, 100,000 rows.
import type { Schemas } from "../api/client";
import type { Driver, DriverPage, DriverRow, HistoryEntry, Match } from "../api/drivers";
import type { Live, Shot, Watch } from "../api/pictures";
import type { Answers } from "../shared/states";

const NOW = Date.now();
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const PARK = "park-1";

// The faces of the gallery by the order of their files: size and eyes of the picture.
const FACES = [
  {
    width: 970,
    height: 2204,
    eyes: [
      [515, 323],
      [633, 346],
    ],
  },
  {
    width: 910,
    height: 1137,
    eyes: [
      [441, 213],
      [550, 213],
    ],
  },
  {
    width: 626,
    height: 1200,
    eyes: [
      [250, 370],
      [372, 380],
    ],
  },
] as const;

/** An id for which the gallery answers that face. */
function idOf(kind: "photos" | "shots" | "unassigned", name: string, face: number): string {
  const sum = (text: string) => [...text].reduce((all, letter) => all + letter.charCodeAt(0), 0);
  const tail = [..."abcdef"].find((letter) => sum(`/api/v1/${kind}/${name}${letter}`) % 6 === face);
  return name + (tail ?? "");
}

const geometry = (face: number): Schemas["FaceGeometry"][] => {
  const [a = [0, 0], b = [0, 0]] = FACES[face]?.eyes ?? [];
  const size = (b[0] ?? 0) - (a[0] ?? 0);
  const area = { x: (a[0] ?? 0) - size, y: (a[1] ?? 0) - size, w: size * 3, h: size * 3 };
  return [{ area, marks: [[...a], [...b]], points: [] }];
};

const PEOPLE = [
  ["Абдурахмангаджиев", "Магомедрасул", "Абдулмуталимович"],
  ["Константинопольская-Разумовская", "Александра", "Владиславовна"],
  ["Ли", "Ян", ""],
  ["Мухамметшин", "Рамиль", "Габдулхакович"],
  ["Орлов", "Семён", "Ильич"],
  ["Соколов", "Артём", "Петрович"],
  ["Щербаков", "Иван", "Сергеевич"],
] as const;
const STATUSES = [
  "approved",
  "needs_moderation",
  "rejected",
  null,
  "new",
  "waiting_for_bytes",
  "error",
] as const;
const STATES = [
  "accepted",
  "accepted",
  "accepted",
  "saved",
  "accepted",
  "sent",
  "refused",
  "conflict",
] as const;
const PLATES = ["А123ВС77", "К777ОМ199", "", "М084СА78", "Т329ТК750"] as const;

export function rowOf(index: number): DriverRow {
  const [last = "", first = "", middle = ""] = PEOPLE[index % PEOPLE.length] ?? [];
  const status = STATUSES[index % STATUSES.length] ?? null;
  return {
    id: `driver-${index}`,
    park: PARK,
    name: [last, first, middle].filter(Boolean).join(" "),
    plate: PLATES[index % PLATES.length] || null,
    phone: index % 4 ? `+7916${String(1_000_000 + index * 137).slice(-7)}` : null,
    photo_status: status,
    photo: status ? idOf("photos", `photo-${index}-0`, index % 3) : null,
    state: STATES[index % STATES.length] ?? "accepted",
  };
}

/** A page of `total` drivers. */
export function pageOf(total: number): (url: URL) => DriverPage {
  return (url) => {
    const start = Number(url.searchParams.get("after") ?? 0);
    const end = Math.min(total, start + Number(url.searchParams.get("limit") ?? 50));
    return {
      rows: Array.from({ length: end - start }, (_, at) => rowOf(start + at)),
      next: end < total ? String(end) : null,
      total,
    };
  };
}

export function photoOf(
  index: number,
  at: number,
  more: Partial<Schemas["PhotoView"]> = {},
): Schemas["PhotoView"] {
  const face = index % 3;
  const { width, height } = FACES[face] ?? FACES[0];
  return {
    id: idOf("photos", `photo-${index}-${at}`, face),
    driver: `driver-${index}`,
    driver_name: rowOf(index).name,
    park: PARK,
    captured_at_ms: NOW - 5 * HOUR - at * 40 * DAY,
    captured_by: "device/1",
    source: "camera",
    state: "accepted",
    status: "approved",
    files: (["original", "portrait", "thumb"] as const).map((name, size) => ({
      class: name,
      local: true,
      stored: true,
      sha256: "",
      size_bytes: [1_400_000, 210_000, 9_000][size] ?? 0,
    })),
    faces: geometry(face),
    crop: { x: 0, y: 0, w: width, h: height, turn: 0 },
    portrait_size: { width, height },
    original_size: { width, height },
    findings: [],
    quality: {},
    ...more,
  };
}

export function driverOf(index: number, more: Partial<Driver> = {}): Driver {
  const row = rowOf(index);
  const [last_name = "", first_name = "", middle_name = ""] = PEOPLE[index % PEOPLE.length] ?? [];
  return {
    ...row,
    last_name,
    first_name,
    middle_name: middle_name || null,
    phones: ["+79161234567", "+79037654321"],
    licence: { country: "rus", number: "99 ХЕ 654321", issued_on: "2019-03-01", expires_on: "2029-03-01" },
    licence_number: "99 ХЕ 654321",
    birth_date: "1984-07-12",
    hired_on: "2022-11-01",
    work_status: "working",
    comment: "Работает в ночную смену, звонить после 14:00.",
    read_only: false,
    attention: [],
    ...more,
  };
}

export const REFUSED = driverOf(2, {
  state: "refused",
  photo_status: "rejected",
  attention: [
    {
      id: "8",
      kind: "refused",
      command: "driver.edit",
      created_at_ms: NOW - HOUR,
      input: {},
      offers: ["retry", "edit", "use_offer", "discard"],
      reason: "licence_taken",
      reason_text: "another driver of the park has this licence",
      reason_ru: "Эти права уже записаны на другого водителя парка",
      reason_en: "Another driver of the park has this licence",
      conflicts: [],
    },
  ],
});

export const CONFLICT = driverOf(7, {
  state: "conflict",
  attention: [
    {
      id: "7",
      kind: "conflict",
      command: "driver.edit",
      created_at_ms: NOW - 25 * 60_000,
      input: {},
      offers: ["retry", "edit", "discard"],
      reason: "conflict",
      reason_text: "somebody changed the same fields meanwhile: choose a value",
      reason_ru: "Те же поля тем временем изменил кто-то другой: выберите значение",
      reason_en: "Somebody changed the same fields meanwhile: choose a value",
      conflicts: [
        { field: "plate", wanted: "А777АА77", stands: "К123КК99" },
        { field: "last_name", wanted: "Константинопольская", stands: "Константинопольская-Разумовская" },
      ],
    },
  ],
});

export const HISTORY: HistoryEntry[] = [
  {
    at_ms: NOW - 40_000,
    kind: "edited",
    by: "Ли Ян",
    state: "saved",
    fields: [{ field: "plate", was: "Х 111 ХХ 77", now: "А 123 ВС 77" }],
    photo: null,
    reason: null,
  },
  {
    at_ms: NOW - 4 * HOUR,
    kind: "photo_status",
    by: null,
    state: "accepted",
    fields: [{ field: "photo_status", was: "needs_moderation", now: "rejected" }],
    photo: idOf("photos", "photo-2-0", 2),
    reason: "too_dark tilted",
  },
  {
    at_ms: NOW - 5 * HOUR,
    kind: "photo_captured",
    by: "Фотоцентр на Варшавском шоссе",
    state: "accepted",
    fields: [],
    photo: idOf("photos", "photo-2-0", 2),
    reason: null,
  },
  {
    at_ms: NOW - 400 * DAY,
    kind: "created",
    by: null,
    state: "accepted",
    fields: [],
    photo: null,
    reason: null,
  },
];

const BOX = { x: 0, y: 0, w: 10, h: 10 };
const matchesOf = (index: number): Match[] => [
  {
    a: { photo: photoOf(index, 0).id, face: BOX },
    b: { photo: photoOf(index, 1).id, face: BOX },
    other_driver: null,
    likely: { verdict: "unsure", false_matches_milli: 200, text: "" },
    decision: null,
  },
  {
    a: { photo: photoOf(index, 0).id, face: BOX },
    b: { photo: photoOf(index + 1, 0).id, face: BOX },
    other_driver: {
      park: PARK,
      id: `driver-${index + 1}`,
      name: rowOf(index + 1).name,
      photo: photoOf(index + 1, 0).id,
      likely: { verdict: "unsure", false_matches_milli: 3000, text: "" },
    },
    likely: { verdict: "unsure", false_matches_milli: 3000, text: "" },
    decision: { id: "1", verdict: "different", by: "Ли Ян", at_ms: NOW - DAY },
  },
];

const indexOf = (url: URL) => Number(/driver-(\d+)/.exec(url.pathname + url.search)?.[1] ?? 0);

export const WARNING: Schemas["FindingView"] = {
  code: "turned_head",
  level: "warn",
  advice_ru: "Поверните лицо прямо в камеру",
  advice_en: "Turn your face straight to the camera",
};
export const FAILED: Schemas["FindingView"] = {
  code: "too_dark",
  level: "fail",
  advice_ru: "Повернитесь к свету",
  advice_en: "Turn towards the light",
};

export function shotOf(more: Partial<Shot> = {}): Shot {
  return {
    id: idOf("shots", "shot-", 1),
    width: 910,
    height: 1137,
    faces: geometry(1),
    crop: { x: 279, y: 0, w: 432, h: 576, turn: 0 },
    portrait_size: { width: 432, height: 576 },
    findings: [],
    nearest: { verdict: "same", false_matches_milli: 1, text: "", photo: photoOf(1, 1).id },
    other_driver: null,
    duplicate_of: null,
    expires_at_ms: NOW + 900_000,
    ...more,
  };
}

export function liveOf(more: Partial<Live> = {}): Live {
  return {
    face: { x: 0.36, y: 0.1, w: 0.26, h: 0.34 },
    advice: null,
    advice_ru: "Хорошо: можно снимать",
    advice_en: "Good: you can shoot",
    level: "ok",
    readiness: 100,
    ...more,
  };
}

const FILES = [
  "IMG_2041.jpg",
  "Соколов Артём (2).jpg",
  "DSC00017.JPG",
  "скан-паспорта-и-очень-длинное-имя-файла.jpg",
];
const REASONS = ["no_hint", "several_drivers", "no_face", "unknown_driver"] as const;

export const TRAY: Schemas["TrayView"][] = Array.from({ length: 11 }, (_, at) => ({
  id: idOf("unassigned", `entry-${at}`, at % 3),
  file_name: FILES[at % FILES.length] ?? "",
  captured_at_ms: NOW - at * HOUR,
  faces_found: at % 4 === 2 ? 0 : 1,
  findings: at % 4 === 1 ? [FAILED] : [],
  park: null,
  reason: REASONS[at % REASONS.length] ?? "no_hint",
  reason_text: "",
}));

export const OFFERS: Schemas["Offers"] = {
  none_because: null,
  offers: (
    [
      ["same", 200],
      ["unsure", 2_000],
      ["unsure", 9_000],
    ] as const
  ).map(([verdict, milli], at) => ({
    driver: `driver-${at}`,
    driver_name: rowOf(at).name,
    park: PARK,
    photo: photoOf(at, 0).id,
    verdict,
    false_matches_milli: milli,
    text: "",
  })),
};

export const WATCH: Watch = {
  folder: "/srv/photo/Входящие",
  state: "watching",
  taken: 128,
  waiting: 2,
  rejected: 1,
  problem: null,
  files: [
    { name: "IMG_3001.jpg", state: "taking", size_bytes: 2_400_000, seen_at_ms: NOW - 2_000 },
    { name: "IMG_3002.jpg", state: "settling", size_bytes: 2_100_000, seen_at_ms: NOW - 1_000 },
    {
      name: "заметки.pdf",
      state: "rejected",
      reason_ru: "это не фотография: пришлите фото в JPEG, PNG или WebP",
      reason_en: "this file is not a picture: send a photo as JPEG, PNG or WebP",
      size_bytes: 90_000,
      seen_at_ms: NOW - 60_000,
    },
  ],
};

export const answers: Answers = {
  "GET /api/v1/drivers": pageOf(100_000),
  "GET /api/v1/parks/*/drivers/*": (url: URL) => driverOf(indexOf(url)),
  "GET /api/v1/parks/*/drivers/*/history": HISTORY,
  "GET /api/v1/parks/*/drivers/*/matches": (url: URL) => matchesOf(indexOf(url)),
  "GET /api/v1/photos": (url: URL) => {
    const index = indexOf(url);
    const refused = { status: "rejected", reason: "too_dark tilted" };
    return [0, 1, 2, 3].map((at) => photoOf(index, at, at === 0 && index === 2 ? refused : {}));
  },
  "POST /api/v1/live": liveOf(),
  "POST /api/v1/shots": shotOf(),
  "GET /api/v1/unassigned": TRAY,
  "GET /api/v1/unassigned/*/offers": OFFERS,
};
