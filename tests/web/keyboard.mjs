/* keyboard.mjs: everything that one does with alerts and devices, without a mouse: the focus is always somewhere, always to be seen, and
 * comes back to where it was. See tests/e2e/test_console_keyboard.py. */
import { check, go, open, run, until } from "./browser.mjs";

const { URL: url, PASSWORD } = process.env;

/** The focus is on something, and one sees where. */
async function isSeen(page, where) {
  const seen = await page.evaluate(() => {
    const e = document.activeElement, style = e && getComputedStyle(e), box = e?.getBoundingClientRect();
    return { is: e?.tagName + (e?.id ? "#" + e.id : ""), ok: e !== document.body && (e.tabIndex < 0 || (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2)), box: box && box.width > 0 };
  });
  check(seen.ok && seen.box, `${where}: the focus is to be seen on ${seen.is}`);
}

const focused = (page, test) => until(page, test, `focus ${test}`);

async function tabTo(page, selector) {
  for (let i = 0; i < 200; i++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((s) => document.activeElement?.matches(s), selector)) return;
  }
  throw new Error(`Tab does not come to ${selector}`);
}

const triageOf = (page, id) => page.evaluate(async (i) => (await (await fetch("/api/v1/alerts/" + i)).json()).triage, id);
const openId = (page) => page.evaluate(() => location.hash.match(/^#\/alerts\/([0-9a-f]+)/)?.[1] ?? "");

/** Waits until the page shows another open alert than the given one. */
async function otherAlert(page, before) {
  let id = before;
  for (let i = 0; i < 600 && id === before; i++) {
    await page.waitForTimeout(20);
    id = await openId(page);
  }
  await page.locator("#detail h2").waitFor();
  return id;
}

async function logsIn(page) {
  await page.waitForSelector("input[name=user]");
  await focused(page, () => document.activeElement?.getAttribute("name") === "user");
  await page.keyboard.type("admin");
  await page.keyboard.press("Tab");
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".live.is-live");
}

async function worksOnAlerts(page) {
  await go(page, "#/alerts");
  await page.waitForSelector("table.alerts tbody tr");
  await tabTo(page, ".skip");
  await page.keyboard.press("Enter");
  await focused(page, () => document.activeElement?.id === "main");
  await page.keyboard.press("j");
  const first = await otherAlert(page, "");
  await focused(page, () => document.activeElement?.id === "detail");
  await page.keyboard.press("j");
  const second = await otherAlert(page, first);
  await page.keyboard.press("k");
  check(await otherAlert(page, second) === first, "k goes back to the one before");
  await page.keyboard.press("a");
  await page.locator("#detail").getByText("This alert is acknowledged.").waitFor();
  check(await triageOf(page, first) === "acknowledged", "a acknowledges");
  await isSeen(page, "after acknowledging");
  await page.keyboard.press("Escape");
  await focused(page, () => document.activeElement?.closest("table.alerts tr") !== null && location.hash === "#/alerts");
  check(await page.evaluate(() => document.activeElement.closest("tr").dataset.id) === first, "Escape leads back to the row of the alert");
  await isSeen(page, "back in the list");
  await page.keyboard.press("Enter");
  await focused(page, () => document.activeElement?.id === "detail");
  await page.keyboard.press("c");
  await page.locator("#detail").getByText("This alert is closed.").waitFor();
  await until(page, () => !document.querySelector("tr.is-chosen"), "the list without the closed alert");
  await page.keyboard.press("j");
  check(await otherAlert(page, first) === second, "and j goes on where the closed one stood");
  await page.keyboard.press("x");
  await page.getByText("1 chosen").waitFor();
  await tabTo(page, "#detail textarea");
  await page.keyboard.type("jkxac?");
  check(await page.inputValue("#detail textarea") === "jkxac?" && await openId(page) === second, "letters that are typed are text");
  await tabTo(page, "#detail .work button");
  await isSeen(page, "on a button");
  await page.keyboard.press("Enter");
  await page.locator("#detail").getByText("This alert is acknowledged.").waitFor();
  await focused(page, () => document.activeElement?.textContent === "This alert is acknowledged.");
  check(true, "work by a button leaves the focus at what it changed");
}

async function asksForTheKeys(page) {
  await page.keyboard.press("Escape");
  await tabTo(page, ".keys-button");
  await page.keyboard.press("Enter");
  await focused(page, () => document.activeElement?.closest("dialog[open]"));
  await tabTo(page, "dialog input[type=checkbox]");
  await isSeen(page, "in the dialog");
  await page.keyboard.press("Space");
  await page.keyboard.press("Escape");
  await focused(page, () => document.activeElement?.matches(".keys-button"));
  check(true, "the focus comes back from the dialog");
  await go(page, "#/alerts?severity=7");
  await page.locator(".keys-button").press("Enter");
  await page.locator("dialog[open]").waitFor();
  const place = await page.locator("dialog[open]").boundingBox();
  check(Math.abs(place.y + place.height / 2 - 450) < 60, `the dialog stands in the middle: ${JSON.stringify(place)}`);
  await page.goBack();
  await until(page, () => location.hash === "#/alerts" && !document.querySelector("dialog[open]"), "a dialog that closes when one goes back");
  await page.keyboard.press("j");
  await page.keyboard.press("?");
  check(await openId(page) === "" && await page.locator("dialog[open]").count() === 0, "single letters can be switched off");
  await go(page, "#/alerts");
  await page.reload();
  await page.waitForSelector("table.alerts tbody tr");
  await page.keyboard.press("j");
  check(await openId(page) === "", "and stay so");
}

async function looksAtADevice(page) {
  await go(page, "#/assets");
  await page.waitForSelector("table.assets tbody tr");
  await tabTo(page, "table.assets tbody a");
  await isSeen(page, "in the list of assets");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "What it is" }).waitFor();
  check(await page.evaluate(() => document.activeElement !== document.body), "the focus is not lost on the device's page");
  await tabTo(page, ".say summary");
  await page.keyboard.press("Enter");
  await tabTo(page, ".say input[name=value]");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("FILLER");
  await page.keyboard.press("Enter");
  await page.locator("h1", { hasText: "FILLER" }).waitFor();
  check(true, "a device is named by keyboard");
  await isSeen(page, "after naming a device");
}

await run(async () => {
  const page = await open(url, { viewport: { width: 1440, height: 900 } });
  await logsIn(page);
  await worksOnAlerts(page);
  await asksForTheKeys(page);
  await looksAtADevice(page);
  check(page.trouble.length === 0, `no trouble: ${page.trouble.join("; ")}`);
});
