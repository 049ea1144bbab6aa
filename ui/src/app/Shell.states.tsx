import { PERSON, sessionOf, statusOf } from "../dev/fixtures";
import { problem, type States } from "../shared/states";

export const states: States = {
  "settings as photo staff": {
    page: "/settings",
    answers: {
      "GET /api/v1/session": sessionOf({
        person: { ...PERSON, role: "photo_staff", name: "Ли Ян" },
        gives: [{ park: PERSON.park, roles: [] }],
      }),
    },
  },
  "sign-in, many people": {
    page: "/",
    answers: { "GET /api/v1/session": sessionOf({ person: null }) },
  },
  "sign-in, one person": {
    page: "/",
    answers: {
      "GET /api/v1/session": sessionOf({ person: null, people: sessionOf().people.slice(0, 1) }),
      "POST /api/v1/session": problem(429, "locked_out", String(Date.now() + 252_000)),
    },
  },
  "sign-in, too long without the hub": {
    page: "/",
    answers: { "GET /api/v1/session": sessionOf({ person: null, until_ms: Date.now() - 1_000 }) },
  },
  "revoked with records left": {
    page: "/",
    answers: {
      "GET /api/v1/status": statusOf({ link: { state: "revoked" }, queue: { commands: 3, files: 2 } }),
    },
  },
  "a browser that was not let in": {
    page: "/",
    answers: { "GET /api/v1/installation": problem(401, "unauthorized") },
  },
  "no answer": {
    page: "/",
    answers: { "GET /api/v1/installation": problem(502, "no_answer") },
  },
};
