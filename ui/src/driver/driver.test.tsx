// A driver's fields, conflicts and faces, against a fake appliance.
import { act, cleanup, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newQueries, Providers } from "../app/App";
import { speak } from "../app/i18n";
import { fakeAppliance } from "../dev/fake";
import { ANSWERS } from "../dev/fixtures";
import { CONFLICT } from "../dev/fixtures.driver";
import { type Answers, problem } from "../shared/states";
import { DriverDrawer } from "./DriverDrawer";

const sent: [string, unknown][] = [];
let end = () => {};
const told =
  (answer: unknown) =>
  (url: URL, body: unknown): unknown => {
    sent.push([url.pathname.replace("/api/v1", ""), body]);
    return answer;
  };

function open(driver: string, answers: Answers) {
  sent.length = 0;
  end = fakeAppliance({ ...ANSWERS, ...answers });
  render(
    <Providers queries={newQueries()}>
      <DriverDrawer park="park-1" driver={driver} onClose={() => undefined} />
    </Providers>,
  );
  return userEvent.setup();
}

beforeEach(() => act(() => speak("en")));
afterEach(() => {
  cleanup();
  end();
});

describe("a driver", () => {
  it("gets another plate by P, the plate, Enter; undo wants the old one back", async () => {
    const user = open("driver-0", { "POST /api/v1/parks/*/drivers/*": told({}) });
    await screen.findByRole("button", { name: "Plate: А 123 ВС 77" });
    await user.keyboard("p");
    await user.keyboard("К777ОМ99{Enter}");
    const [was, now] = ["А123ВС77", "К777ОМ99"];
    await waitFor(() =>
      expect(sent).toEqual([["/parks/park-1/drivers/driver-0", { fields: { plate: { was, now } } }]]),
    );
    await user.click(await screen.findByRole("button", { name: "Undo" }));
    await waitFor(() => expect(sent[1]?.[1]).toEqual({ fields: { plate: { was: now, now: was } } }));
  });

  it("keeps what was typed when it is refused, and says why", async () => {
    const user = open("driver-0", { "POST /api/v1/parks/*/drivers/*": problem(409, "refused", "plate") });
    await screen.findByRole("button", { name: "Plate: А 123 ВС 77" });
    await user.keyboard("p");
    await user.keyboard("?!{Enter}");
    expect((await screen.findByRole("alert")).textContent).toBe("The rules do not allow this.");
    expect((screen.getByLabelText("Plate") as HTMLInputElement).value).toBe("?!");
    await user.keyboard("{Escape}");
    expect(await screen.findByRole("button", { name: "Plate: А 123 ВС 77" })).toBeDefined();
  });

  it("settles a conflict by the chosen values: mine is wanted over what stands, theirs is let be", async () => {
    const user = open("driver-7", {
      "GET /api/v1/parks/*/drivers/*": CONFLICT,
      "POST /api/v1/parks/*/drivers/*": told({}),
      "POST /api/v1/needs-attention/*": told({ done: true }),
    });
    await user.click(await screen.findByRole("button", { name: /А 777 АА 77/ }));
    expect(sent).toEqual([]);
    await user.click(screen.getByRole("button", { name: /Константинопольская-Разумовская/ }));
    await waitFor(() =>
      expect(sent).toEqual([
        ["/parks/park-1/drivers/driver-7", { fields: { plate: { was: "К123КК99", now: "А777АА77" } } }],
        ["/needs-attention/7", { action: "discard" }],
      ]),
    );
  });

  it("has its faces decided by one key, and undone by one", async () => {
    const user = open("driver-1", { "POST /api/v1/matches": told({ decision: "m-1" }) });
    await screen.findByRole("button", { name: /Different/ });
    await user.keyboard("n");
    await waitFor(() => expect(sent[0]?.[1]).toMatchObject({ park: "park-1", verdict: "different" }));
    await screen.findByRole("button", { name: "Undo" });
    await user.keyboard("u");
    await waitFor(() => expect(sent[1]?.[1]).toMatchObject({ verdict: "ignore", undoes: "m-1" }));
  });
});
