// The wizard by keyboard alone, against a fake appliance.
import { act, cleanup, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newQueries, Providers } from "../app/App";
import { speak } from "../app/i18n";
import { fakeAppliance } from "../dev/fake";
import { ANSWERS } from "../dev/fixtures";
import { type Answers, problem } from "../shared/states";
import { Setup } from "./Setup";
import type { Step } from "./steps";

let end = () => {};
const sent: unknown[] = [];

/** Keeps the step as the world around set-up does. */
function Kept() {
  const [step, setStep] = useState<Step | null>("language");
  return <Setup step={step} besideOld={false} onStep={setStep} onLang={() => {}} />;
}

function start(answers: Answers) {
  sent.length = 0;
  end = fakeAppliance({ ...ANSWERS, ...answers });
  render(
    <Providers queries={newQueries()}>
      <Kept />
    </Providers>,
  );
  return userEvent.setup();
}

const heading = (name: string) => screen.findByRole("heading", { level: 1, name });

/** The step of the hub, with its first field ready for typing. */
async function hubStep() {
  await heading("Connect to the hub");
  await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText("Hub address")));
}

beforeEach(() => act(() => speak("en")));
afterEach(() => {
  cleanup();
  end();
});

describe("set-up", () => {
  it("says what a failed enrolment is about at its field, and keeps what was typed on the way back", async () => {
    const user = start({
      "POST /api/v1/installation/enrol": (_: URL, body: unknown) => {
        sent.push(body);
        return problem(409, "enrol_failed", "expired_code");
      },
    });
    await user.keyboard("{Enter}");
    await hubStep();
    await user.keyboard("hub.park.example{Tab}k7qf-3mwd{Tab}Office 2{Enter}");
    const code = screen.getByLabelText("Code");
    await waitFor(() => expect(code.getAttribute("aria-invalid")).toBe("true"));
    expect(code.getAttribute("aria-describedby")).toBeTruthy();
    expect(screen.getByText(/This code has expired/)).toBeTruthy();
    expect(document.activeElement).toBe(code);
    expect(sent).toEqual([{ hub: "https://hub.park.example", code: "k7qf-3mwd", name: "Office 2" }]);

    await user.click(screen.getByRole("button", { name: "Back" }));
    await heading("Welcome to Parkdesk");
    await user.click(screen.getByRole("button", { name: "Next" }));
    await heading("Connect to the hub");
    expect((screen.getByLabelText("Hub address") as HTMLInputElement).value).toBe("hub.park.example");
    expect((screen.getByLabelText("Name of this desk") as HTMLInputElement).value).toBe("Office 2");
  });

  it("sends nothing while a field lacks something, and leads to the first such field", async () => {
    const user = start({ "POST /api/v1/installation/enrol": () => sent.push("asked") });
    await user.keyboard("{Enter}");
    await heading("Connect to the hub");
    await user.click(screen.getByRole("button", { name: "Connect" }));
    expect(screen.getByText("Enter the hub's address")).toBeTruthy();
    expect(document.activeElement).toBe(screen.getByLabelText("Hub address"));
    expect(sent).toEqual([]);
  });

  it("goes on from the recovery code only when it is confirmed", async () => {
    const user = start({
      "POST /api/v1/installation/enrol": { device: "d", recovery_code: "AAAA-BBBB", moved: null },
    });
    await user.keyboard("{Enter}");
    await hubStep();
    await user.keyboard("hub{Tab}code{Tab}Desk{Enter}");
    await heading("Recovery code");
    expect(screen.getByText("BBBB")).toBeTruthy();
    const next = screen.getByRole("button", { name: "Next" });
    expect(next.hasAttribute("disabled")).toBe(true);
    await user.click(screen.getByRole("checkbox"));
    await user.click(next);
    await heading("Camera");
  });

  it("leaves the recovery step out where no key was made", async () => {
    const user = start({
      "POST /api/v1/installation/enrol": { device: "d", recovery_code: null, moved: null },
    });
    await user.keyboard("{Enter}");
    await hubStep();
    await user.keyboard("hub{Tab}code{Tab}Desk{Enter}");
    await heading("Camera");
  });
});
