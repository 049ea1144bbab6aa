import { PEOPLE, SETTINGS, sessionOf, statusOf } from "../dev/fixtures";
import { problem, type States } from "../shared/states";

const watch = { ...statusOf().watch, state: "missing" as const };

export const states: States = {
  "nobody has to sign in": {
    page: "/settings",
    answers: {
      "GET /api/v1/session": sessionOf({ required: false, person: null, people: [] }),
      "GET /api/v1/people": [],
      "GET /api/v1/settings": { ...SETTINGS, watch_folder: null },
    },
  },
  "the folder is missing, twelve people": {
    page: "/settings",
    answers: {
      "GET /api/v1/status": statusOf({ watch }),
      "GET /api/v1/people": Array.from({ length: 12 }, (_, at) => ({ ...PEOPLE[at % 3], id: `p${at}` })),
    },
  },
  "settings cannot be read": {
    page: "/settings",
    answers: { "GET /api/v1/settings": problem(500, "internal", "settings.json") },
  },
};
