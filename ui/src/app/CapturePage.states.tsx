// The page of the photo centre: before and after a driver is chosen.
import { pageOf } from "../dev/fixtures.driver";
import type { States } from "../shared/states";

export const states: States = {
  "who is next": { page: "/capture" },
  "nobody found": { page: "/capture", answers: { "GET /api/v1/drivers": pageOf(0) } },
  "a driver chosen": { page: "/capture?park=park-1&driver=driver-1" },
  "a driver without a photo": {
    page: "/capture?park=park-1&driver=driver-3",
    answers: { "GET /api/v1/photos": [] },
  },
};
