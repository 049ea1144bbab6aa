// Who may be added and removed at this desk, against a fake appliance.
import { act, cleanup, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Session } from "../api/desk";
import { newQueries, Providers } from "../app/App";
import { speak } from "../app/i18n";
import { fakeAppliance } from "../dev/fake";
import { ANSWERS, PARK, PEOPLE, sessionOf } from "../dev/fixtures";
import { People } from "./People";

let end = () => {};
const removed: string[] = [];

function start(session: Partial<Session> = {}) {
  removed.length = 0;
  end = fakeAppliance({
    ...ANSWERS,
    "GET /api/v1/session": sessionOf(session),
    "GET /api/v1/people": () => PEOPLE.filter(({ id }) => !removed.includes(id)),
    "DELETE /api/v1/people/*": (url: URL) => {
      removed.push(url.pathname.split("/").at(-1) ?? "");
      return { done: true };
    },
  });
  render(
    <Providers queries={newQueries()}>
      <People />
    </Providers>,
  );
  return userEvent.setup();
}

beforeEach(() => act(() => speak("en")));
afterEach(() => {
  cleanup();
  end();
});

describe("people", () => {
  it("are removed only after a question, whose first answer is no", async () => {
    const user = start();
    await user.click(await screen.findByRole("button", { name: "Remove: Ли Ян" }));
    const cancel = await screen.findByRole("button", { name: "Cancel" });
    await waitFor(() => expect(document.activeElement).toBe(cancel));
    await user.keyboard("{Enter}");
    expect(removed).toEqual([]);
    await user.click(screen.getByRole("button", { name: "Remove: Ли Ян" }));
    await user.click(within(await screen.findByRole("dialog")).getByRole("button", { name: "Remove" }));
    await waitFor(() => expect(removed).toEqual(["person-2"]));
    await waitFor(() => expect(screen.queryByText("Ли Ян")).toBeNull());
  });

  it("cannot remove themselves, nor anybody whose role is not theirs to give", async () => {
    start({ gives: [{ park: PARK.id, roles: ["photo_staff", "senior"] }] });
    await screen.findByRole("button", { name: "Remove: Ли Ян" });
    expect(screen.getAllByRole("button", { name: /^Remove/ })).toHaveLength(1);
  });

  it("are not offered to be added where no role may be given", async () => {
    start({ gives: [{ park: PARK.id, roles: [] }] });
    await screen.findByText("Ли Ян");
    expect(screen.queryByRole("button", { name: "Add" })).toBeNull();
    expect(screen.queryByRole("button", { name: /^Remove/ })).toBeNull();
  });
});
