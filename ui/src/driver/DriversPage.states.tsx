// The drivers in every state.
import { CONFLICT, driverOf, pageOf, REFUSED } from "../dev/fixtures.driver";
import { problem, type States } from "../shared/states";

export const states: States = {
  "100,000 drivers": { page: "/drivers" },
  "no drivers yet": { page: "/drivers", answers: { "GET /api/v1/drivers": pageOf(0) } },
  "nobody found": { page: "/drivers?text=щщ", answers: { "GET /api/v1/drivers": pageOf(0) } },
  "list fails": { page: "/drivers", answers: { "GET /api/v1/drivers": problem(500, "internal", "e-1f2a") } },
  "a driver open": { page: "/drivers/park-1/driver-1" },
  "a refused photo and edit": {
    page: "/drivers/park-1/driver-2",
    answers: { "GET /api/v1/parks/*/drivers/*": REFUSED },
  },
  "a conflict": {
    page: "/drivers/park-1/driver-7",
    answers: { "GET /api/v1/parks/*/drivers/*": CONFLICT },
  },
  "saved here, no photo yet": {
    page: "/drivers/park-1/driver-3",
    answers: {
      "GET /api/v1/parks/*/drivers/*": driverOf(3, { state: "saved" }),
      "GET /api/v1/photos": [],
      "GET /api/v1/parks/*/drivers/*/matches": [],
    },
  },
  "a park kept elsewhere": {
    page: "/drivers/park-1/driver-5",
    answers: { "GET /api/v1/parks/*/drivers/*": driverOf(5, { read_only: true }) },
  },
  "a driver who is gone": {
    page: "/drivers/park-1/driver-9",
    answers: { "GET /api/v1/parks/*/drivers/*": problem(404, "not_found") },
  },
  "a new driver": { page: "/drivers?new" },
};
