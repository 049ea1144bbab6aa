// The live picture while the sitter is being advised. A file of its own: all states of a file share one appliance.
import { liveOf } from "../dev/fixtures.driver";
import type { States } from "../shared/states";
import { Stage } from "./Capture.states";

const closer = liveOf({
  advice: "face_too_small",
  advice_ru: "Подойдите ближе на полшага",
  advice_en: "Come half a step closer",
  level: "warn",
  readiness: 64,
});

export const states: States = {
  "live, advice": { render: () => <Stage />, width: 640, answers: { "POST /api/v1/live": closer } },
};
