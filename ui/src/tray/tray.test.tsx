// Pictures without a driver by keyboard, against a fake appliance.
import { act, cleanup, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newQueries, Providers } from "../app/App";
import { speak } from "../app/i18n";
import { fakeAppliance } from "../dev/fake";
import { ANSWERS } from "../dev/fixtures";
import { TRAY } from "../dev/fixtures.driver";
import TrayPage from "./TrayPage";

const sent: [string, unknown][] = [];
let end = () => {};

function start(entries: typeof TRAY) {
  sent.length = 0;
  let tray = entries;
  const take = (answer: unknown) => (url: URL, body: unknown) => {
    sent.push([url.pathname.replace("/api/v1/unassigned/", ""), body]);
    tray = tray.filter(({ id }) => !url.pathname.includes(id));
    return answer;
  };
  end = fakeAppliance({
    ...ANSWERS,
    "GET /api/v1/unassigned": () => tray,
    "POST /api/v1/unassigned/*/assign": take({ taken: "captured", photo: "p", driver: "d", findings: [] }),
    "POST /api/v1/unassigned/*/discard": take({ done: true }),
    "POST /api/v1/photos/p/return-to-tray": () => {
      sent.push(["back", undefined]);
      tray = entries;
      return { taken: "tray", entry: entries[0]?.id, reason: "no_hint" };
    },
  });
  render(
    <Providers queries={newQueries()}>
      <TrayPage />
    </Providers>,
  );
  return userEvent.setup();
}

const [first, failed] = [TRAY[0], TRAY[1]] as [(typeof TRAY)[0], (typeof TRAY)[0]];

beforeEach(() => act(() => speak("en")));
afterEach(() => {
  cleanup();
  end();
});

describe("the tray", () => {
  it("assigns by the number of an offer", async () => {
    const user = start([first]);
    await screen.findByText(/Константинопольская/);
    await user.keyboard("2");
    await waitFor(() =>
      expect(sent).toEqual([[`${first.id}/assign`, { driver: "driver-1", park: "park-1" }]]),
    );
    expect(await screen.findByRole("heading", { name: "All done" })).toBeDefined();
  });

  it("has a picture back after an undo of its assignment", async () => {
    const user = start([first]);
    await screen.findByText(/Константинопольская/);
    await user.keyboard("2");
    await screen.findByRole("heading", { name: "All done" });
    await user.click(await screen.findByRole("button", { name: "Undo" }));
    expect(await screen.findByRole("region", { name: first.file_name })).toBeDefined();
    expect(sent.at(-1)).toEqual(["back", undefined]);
  });

  it("asks why before a picture that failed its check is assigned", async () => {
    const user = start([failed]);
    await screen.findByText(/Константинопольская/);
    await user.keyboard("{Enter}");
    const reason = await screen.findByRole("textbox", { name: /Why you save it/ });
    await waitFor(() => expect(document.activeElement).toBe(reason));
    expect(sent).toEqual([]);
    await user.keyboard("a scar{Enter}");
    await waitFor(() =>
      expect(sent[0]?.[1]).toEqual({ driver: "driver-0", park: "park-1", reason: "a scar" }),
    );
  });

  it("throws nothing away before the time to undo is over", async () => {
    const user = start([first]);
    await screen.findByText(/Константинопольская/);
    await user.keyboard("{Delete}");
    expect(await screen.findByRole("heading", { name: "All done" })).toBeDefined();
    await user.keyboard("u");
    expect(await screen.findByText(/Константинопольская/)).toBeDefined();
    expect(sent).toEqual([]);
  });
});
