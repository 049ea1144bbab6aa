import { act, cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newQueries, Providers } from "../app/App";
import { speak } from "../app/i18n";
import { fakeAppliance } from "../dev/fake";
import { PEOPLE, sessionOf } from "../dev/fixtures";
import { problem } from "../shared/states";
import { SignIn } from "./SignIn";

let end = () => {};

function start(answer: unknown) {
  end = fakeAppliance({ "POST /api/v1/session": answer });
  const queries = newQueries();
  render(
    <Providers queries={queries}>
      <SignIn session={sessionOf({ person: null })} />
    </Providers>,
  );
  return { user: userEvent.setup(), queries };
}

beforeEach(() => act(() => speak("en")));
afterEach(() => {
  cleanup();
  end();
});

describe("sign-in", () => {
  it("is an arrow, Enter, the pass code, Enter", async () => {
    const signedIn = sessionOf({ person: PEOPLE[1] ?? null });
    let asked: unknown;
    const { user, queries } = start((_: URL, body: unknown) => {
      asked = body;
      return signedIn;
    });
    await user.keyboard("{ArrowDown}{Enter}");
    await screen.findByLabelText("Pass code");
    await user.keyboard("654321{Enter}");
    await expect.poll(() => queries.getQueryData(["session"])).toEqual(signedIn);
    expect(asked).toEqual({ person: PEOPLE[1]?.id, pass_code: "654321" });
  });

  it("says that a pass code does not fit and empties the field", async () => {
    const { user } = start(problem(401, "wrong_pass_code"));
    await user.keyboard("{Enter}");
    const field = await screen.findByLabelText("Pass code");
    await user.keyboard("000000{Enter}");
    await screen.findByText(/This pass code does not fit/);
    expect((field as HTMLInputElement).value).toBe("");
  });

  it("counts down after too many tries and takes no more meanwhile", async () => {
    const { user } = start(problem(429, "locked_out", String(Date.now() + 252_000)));
    await user.keyboard("{Enter}");
    await screen.findByLabelText("Pass code");
    await user.keyboard("000000{Enter}");
    await screen.findByText(/Try again in 4 min 1\d s/);
    await user.keyboard("000000");
    expect(screen.getByRole("button", { name: /Sign in/ }).hasAttribute("disabled")).toBe(true);
  });
});
