// The photo centre's page by keyboard, with a pasted picture instead of a camera.
import { act, cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Router } from "wouter";
import { memoryLocation } from "wouter/memory-location";
import { fakeAppliance } from "../dev/fake";
import { ANSWERS } from "../dev/fixtures";
import { FAILED, rowOf, shotOf } from "../dev/fixtures.driver";
import type { Answers } from "../shared/states";
import { newQueries, Providers } from "./App";
import CapturePage from "./CapturePage";
import { speak } from "./i18n";

const sent: [string, unknown][] = [];
let end = () => {};
const told =
  (name: string, answer: unknown) =>
  (url: URL, body: unknown): unknown => {
    sent.push([`${name} ${url.pathname.replace("/api/v1", "")}`, body]);
    return answer;
  };

async function start(answers: Answers = {}) {
  sent.length = 0;
  end = fakeAppliance({
    ...ANSWERS,
    "GET /api/v1/drivers": (url: URL) => {
      const text = url.searchParams.get("text") ?? "";
      const rows = [0, 1, 2, 3, 4, 5, 6].map(rowOf).filter((row) => row.name.toLowerCase().includes(text));
      return { rows, next: null, total: rows.length };
    },
    "POST /api/v1/shots": told("shoot", shotOf()),
    "POST /api/v1/shots/*/save": told("save", { taken: "captured", photo: "p-9", driver: "d", findings: [] }),
    "POST /api/v1/shots/*/crop": told("crop", shotOf()),
    "POST /api/v1/photos/*/withdraw": told("withdraw", { done: true }),
    "DELETE /api/v1/shots/*": told("drop", { done: true }),
    ...answers,
  });
  const location = memoryLocation({ path: "/capture" });
  render(
    <Router hook={location.hook} searchHook={location.searchHook}>
      <Providers queries={newQueries()}>
        <CapturePage />
      </Providers>
    </Router>,
  );
  return userEvent.setup();
}

const search = () => screen.findByRole("combobox", { name: "Find a driver" });
const paste = () =>
  act(() => {
    const file = new File(["jpeg"], "x.jpg", { type: "image/jpeg", lastModified: 5 });
    // jsdom's files cannot be read.
    Object.assign(file, { arrayBuffer: async () => new ArrayBuffer(4) });
    fireEvent.paste(window, { clipboardData: { files: [file] } });
  });

beforeEach(() => act(() => speak("en")));
afterEach(() => {
  cleanup();
  end();
});

describe("capture", () => {
  it("takes the first driver of what was typed, even when Enter comes before the answer", async () => {
    const user = await start();
    await waitFor(async () => expect(document.activeElement).toBe(await search()));
    await user.keyboard("орлов{Enter}");
    expect(await screen.findByRole("heading", { level: 2, name: /Орлов/ })).toBeDefined();
  });

  it("takes nobody by an Enter in an empty field", async () => {
    const user = await start();
    await screen.findAllByRole("option");
    await user.keyboard("{Enter}");
    expect(document.activeElement).toBe(await search());
    expect(screen.queryByRole("button", { name: /^Shoot/ })).toBeNull();
  });

  it("saves by Enter, offers the way back, and waits for the next driver", async () => {
    const user = await start();
    await search();
    await user.keyboard("орлов{Enter}");
    await screen.findByRole("heading", { level: 2, name: /Орлов/ });
    paste();
    await screen.findByText("The check is passed");
    await user.keyboard("{Enter}");
    await waitFor(() => expect(sent.map(([call]) => call)).toContain(`save /shots/${shotOf().id}/save`));
    expect(sent.find(([call]) => call.startsWith("save"))?.[1]).toEqual({
      park: "park-1",
      driver: "driver-4",
    });
    await waitFor(async () => expect(document.activeElement).toBe(await search()));
    await user.click(screen.getByRole("button", { name: "Undo" }));
    await waitFor(() => expect(sent.map(([call]) => call)).toContain("withdraw /photos/p-9/withdraw"));
  });

  it("saves the frame that is seen: a moved one is cut before", async () => {
    const user = await start();
    await search();
    await user.keyboard("орлов{Enter}");
    await screen.findByRole("heading", { level: 2, name: /Орлов/ });
    paste();
    await screen.findByText("The check is passed");
    await user.keyboard("{ArrowRight}{Enter}");
    await waitFor(() => expect(sent.map(([call]) => call.split(" ")[0])).toEqual(["shoot", "crop", "save"]));
    expect(sent[1]?.[1]).toMatchObject({ x: (shotOf().crop?.x ?? 0) + 11, y: 0 });
  });

  it("asks for a reason before a failed check is saved", async () => {
    const user = await start({ "POST /api/v1/shots": shotOf({ findings: [FAILED] }) });
    await search();
    await user.keyboard("орлов{Enter}");
    await screen.findByRole("heading", { level: 2, name: /Орлов/ });
    paste();
    await screen.findByText("Turn towards the light");
    await user.keyboard("{Enter}");
    const reason = await screen.findByRole("textbox", { name: /Why you save it/ });
    await waitFor(() => expect(document.activeElement).toBe(reason));
    expect(sent).toEqual([]);
    await user.keyboard("a scar{Enter}");
    await waitFor(() => expect(sent[0]?.[1]).toMatchObject({ driver: "driver-4", reason: "a scar" }));
  });
});
