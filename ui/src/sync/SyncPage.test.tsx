// Settling by hand, and the words of the pill.
import { act, cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it } from "vitest";
import { Router } from "wouter";
import { memoryLocation } from "wouter/memory-location";
import type { Lang } from "../api/desk";
import { newQueries, Providers } from "../app/App";
import { speak } from "../app/i18n";
import { fakeAppliance } from "../dev/fake";
import { ANSWERS, statusOf } from "../dev/fixtures";
import { NO_BATCH, pillOf } from "./pill";
import { states } from "./Sync.states";
import SyncPage from "./SyncPage";
import { PillView } from "./SyncPill";

let end = () => {};
afterEach(() => {
  cleanup();
  end();
});

async function open(entry: string) {
  await act(() => speak("en"));
  const sent: unknown[] = [];
  const state = states["a conflict to settle"];
  end = fakeAppliance({
    ...ANSWERS,
    ...state?.answers,
    "POST /api/v1/needs-attention/*": (url: URL, body: unknown) => {
      sent.push([url.pathname.split("/").at(-1), body]);
      return { done: true };
    },
  });
  const { hook, searchHook } = memoryLocation({ path: `/sync?entry=${entry}` });
  render(
    <Router hook={hook} searchHook={searchHook}>
      <Providers queries={newQueries()}>
        <SyncPage />
      </Providers>
    </Router>,
  );
  await screen.findByRole("complementary");
  return { user: userEvent.setup(), sent };
}

describe("what needs attention", () => {
  it("is a conflict settled by a choice for each field, sent as an edit of what stands", async () => {
    const { user, sent } = await open("1");
    const apply = screen.getByRole("button", { name: "Apply" });
    expect(apply.hasAttribute("disabled")).toBe(true);
    await user.click(screen.getByRole("radio", { name: /Константинопольская-Разумовская/ }));
    await user.click(screen.getByRole("radio", { name: /empty/ }));
    await user.click(apply);
    await expect.poll(() => sent).toHaveLength(1);
    expect(sent[0]).toEqual([
      "1",
      {
        action: "edit",
        command: {
          kind: "driver.edit",
          args: {
            driver: "d0",
            park: "park-1",
            fields: { last_name: { was: "Разумовская", now: "Константинопольская-Разумовская" } },
          },
        },
      },
    ]);
  });

  it("is a refusal corrected in a form that starts at the field at fault", async () => {
    const { user, sent } = await open("2");
    await user.click(screen.getByRole("button", { name: "Correct" }));
    const licence = screen.getByLabelText("Licence");
    expect(document.activeElement).toBe(licence);
    expect(licence.getAttribute("aria-invalid")).toBe("true");
    await user.clear(licence);
    await user.keyboard("99 ХЕ 654322{Enter}");
    await expect.poll(() => sent).toHaveLength(1);
    expect(sent[0]).toMatchObject([
      "2",
      { action: "edit", command: { kind: "driver.create", args: { licence: { number: "99 ХЕ 654322" } } } },
    ]);
  });

  it("is discarded only after a question", async () => {
    const { user, sent } = await open("3");
    await user.click(screen.getByRole("button", { name: "Discard" }));
    await screen.findByText(/nobody can open its files/);
    expect(sent).toEqual([]);
    const asked = screen.getByRole("dialog");
    await user.click(
      [...asked.querySelectorAll("button")].find((one) => one.textContent === "Discard") ?? asked,
    );
    await expect.poll(() => sent).toEqual([["3", { action: "discard" }]]);
  });
});

describe("the words of the pill", () => {
  const now = new Date(2026, 10, 25, 14, 5).getTime();
  const say = async (lang: Lang, more: Parameters<typeof statusOf>[0], batch = NO_BATCH) => {
    await act(() => speak(lang));
    render(
      <Providers queries={newQueries()}>
        <PillView pill={pillOf(statusOf(more), batch)} now={now} />
      </Providers>,
    );
    const text = screen.getByRole("link").textContent?.replace(/[\u00a0\u202f]/g, " ");
    cleanup();
    return text;
  };
  const at = (hour: number, minute: number) => new Date(2026, 10, 25, hour, minute).getTime();
  const link = (state: string, more: object = {}) => ({ state, last_contact_at_ms: now - 12_000, ...more });

  it("tell the age of the last exchange", async () => {
    expect(await say("en", { link: link("online") })).toBe("Synced 12 sec ago");
    expect(await say("ru", { link: link("online") })).toBe("Обмен 12 сек. назад");
  });
  it("tell since when it is offline and what waits, in every plural form", async () => {
    const offline = (commands: number) => ({
      link: link("offline", { last_contact_at_ms: at(10, 42) }),
      queue: { commands, files: 0 },
    });
    expect(await say("en", offline(14))).toBe("Offline since 10:42 · 14 waiting");
    expect(await say("ru", offline(1))).toBe("Нет связи с 10:42 · 1 ждёт");
    expect(await say("ru", offline(2))).toBe("Нет связи с 10:42 · 2 ждут");
    expect(await say("ru", offline(5))).toBe("Нет связи с 10:42 · 5 ждут");
    expect(await say("ru", offline(21))).toBe("Нет связи с 10:42 · 21 ждёт");
    expect(await say("ru", offline(1_214))).toBe("Нет связи с 10:42 · 1 214 ждут");
  });
  it("tell which file of how many is sent and the time left", async () => {
    const sending = { files_left: 38, bytes_done: 0, bytes_total: 9, left_ms: 120_000 };
    expect(await say("en", { link: link("online", { sending }) }, { total: 40, left: 38 })).toBe(
      "Sending file 3 of 40 · 2 min",
    );
  });
  it("tell what needs attention", async () => {
    expect(await say("en", { link: link("online"), needs_attention: 2 })).toBe("Needs attention: 2");
    expect(await say("ru", { link: link("offline"), needs_attention: 2 })).toMatch(/Нужно решение: 2$/);
  });
});
