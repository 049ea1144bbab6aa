// Pictures without a driver in every state, and the watched folder.
import { statusOf } from "../dev/fixtures";
import { TRAY, WATCH } from "../dev/fixtures.driver";
import type { States } from "../shared/states";

const folder = (watch: object | null) => ({ "GET /api/v1/status": statusOf({ watch }) });

export const states: States = {
  "eleven pictures": { page: "/unassigned", answers: folder(WATCH) },
  "no face": {
    page: "/unassigned",
    answers: {
      "GET /api/v1/unassigned": TRAY.slice(2, 3),
      "GET /api/v1/unassigned/*/offers": { offers: [], none_because: "no_face" },
    },
  },
  "a failed check": { page: "/unassigned", answers: { "GET /api/v1/unassigned": TRAY.slice(1, 2) } },
  "nothing waits": { page: "/unassigned", answers: { "GET /api/v1/unassigned": [] } },
  "the folder is missing": {
    page: "/unassigned",
    answers: folder({ ...WATCH, state: "missing", files: [] }),
  },
  "no folder chosen": { page: "/unassigned", answers: folder(null) },
};
