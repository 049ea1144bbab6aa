// @ts-check
// What is to be known of the gallery by whoever looks at its states from outside.

const PAGE_RULES = [
  "region",
  "page-has-heading-one",
  "landmark-one-main",
  "landmark-main-is-top-level",
  "landmark-no-duplicate-main",
  "landmark-unique",
];

/** Whether a state is a list of components and no page. @param {string} state */
export const isList = (state) => state.split("/").length === 2;

/**
 * The rules of axe for a state: a list of components has no landmarks and no heading of its own.
 * @param {string} state
 */
export function rulesFor(state) {
  return isList(state) ? Object.fromEntries(PAGE_RULES.map((rule) => [rule, { enabled: false }])) : {};
}

/**
 * Runs in the page: waits until fonts and pictures are there and nothing has changed for a while (three seconds at most).
 * @param {number} quietMs
 */
export async function settled(quietMs) {
  await document.fonts.ready;
  const isPending = () =>
    [...document.images].some((image) => image.loading !== "lazy" && !image.complete) ||
    [...document.querySelectorAll("video")].some((video) => video.readyState < 2);
  const end = performance.now() + 3_000;
  let changed = performance.now();
  const observer = new MutationObserver(() => {
    changed = performance.now();
  });
  observer.observe(document.body, { childList: true, subtree: true, attributes: true });
  while (performance.now() < end && (isPending() || performance.now() - changed < quietMs))
    await new Promise((resolve) => setTimeout(resolve, 50));
  observer.disconnect();
}
