/* console.mjs: drives the console's page in Chromium. See tests/e2e/test_console.py, which prepares what it needs. */
import { execFile } from "node:child_process";
import { readFile, rename, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { chromium } from "playwright-core";

const { CHROMIUM, URL: url, STORE, CAPTURE, SIGHTGLASS, SCREENSHOTS, HOSTILE } = process.env;
const WAIT_MS = 30000;
let failures = 0;

function check(isTrue, what) {
  console.log((isTrue ? "ok    " : "FAILED ") + what);
  failures += !isTrue;
}

const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

/* A page whose errors, dialogs and requests elsewhere are remembered. */
async function open(options) {
  const context = await browser.newContext({ acceptDownloads: true, ...options });
  const page = await context.newPage();
  page.trouble = [];
  page.on("pageerror", (error) => page.trouble.push(String(error)));
  page.on("console", (message) => message.type() === "error" && page.trouble.push(message.text()));
  page.on("dialog", (dialog) => { page.trouble.push("dialog"); dialog.dismiss(); });
  page.on("request", (request) => request.url().startsWith(url) || page.trouble.push("asked " + request.url()));
  page.setDefaultTimeout(WAIT_MS);
  await page.goto(url + "#/alerts");
  return page;
}

async function showsAlertsAndDetails(page) {
  await page.waitForSelector("table.alerts tbody tr");
  await page.waitForSelector(".live.is-live");
  check(await page.locator("table.alerts tbody tr").count() > 0, "alerts are listed");
  await page.locator("table.alerts tbody a").first().focus();
  await page.keyboard.press("Enter");
  await page.waitForSelector("#detail h2");
  const detail = await page.locator("#detail").innerText();
  check(/What happened/i.test(detail) && /Expected/.test(detail) && /What to check/i.test(detail), "an alert explains itself");
  check(await page.evaluate(() => document.activeElement.id) === "detail", "the keyboard follows to the details");
}

async function goesLive(page) {
  await page.goto(url + "#alerts");
  await page.waitForSelector("table.alerts tbody tr");
  await page.waitForSelector(".live.is-live");
  await page.evaluate(() => { window.isSamePage = true; });
  check(!(await page.locator("table.alerts tbody").innerText()).includes("10.0.0.66"), "the stranger is not there yet");
  await promisify(execFile)(SIGHTGLASS, ["run", "-r", CAPTURE, "-m", "detect", "-s", STORE]);
  await page.locator("table.alerts tbody tr", { hasText: "10.0.0.66" }).first().waitFor();
  check(await page.evaluate(() => window.isSamePage), "new alerts arrive without a reload");
}

/* The sensor says since when it knows in UTC; people read it as all other times. */
async function tellsTimesInTheReadersZone() {
  const page = await open({ viewport: { width: 1440, height: 900 }, timezoneId: "Asia/Tokyo" });
  await page.waitForSelector("table.alerts tbody tr");
  await page.route(/\/api\/v1\/alerts\/[0-9a-f]+$/, async (route) => {
    const response = await route.fetch(), answer = await response.json();
    answer.alert.sightglass.expected = "only reads from it, since 2026-01-31 23:30 UTC (7 messages)";
    await route.fulfill({ response, json: answer });
  });
  await page.locator("table.alerts tbody a").first().click();
  await page.locator('#detail dd time[datetime="2026-01-31T23:30Z"]').waitFor();
  const words = await page.locator("#detail dd", { hasText: "only reads from it" }).innerText();
  check(/2\/1\/26, 8:30/.test(words) && !words.includes("UTC"), `since when it knows is in the reader's zone: ${words}`);
  check(page.trouble.length === 0, `no trouble in Tokyo: ${page.trouble.join("; ")}`);
  await page.context().close();
}

async function givesEvidence(page) {
  const write = page.locator("table.alerts tbody tr", { hasText: "rw.new-writer" });
  await write.locator("a").first().click();
  const link = page.locator("#detail a.button");
  await link.waitFor();
  const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
  const bytes = await readFile(await download.path());
  check(bytes.length > 24 && [0xa1b2c3d4, 0xa1b23c4d].includes(bytes.readUInt32LE(0)), "evidence comes as a pcap file");
}

async function showsAssets(page) {
  await page.click('nav a[href="#/assets"]');
  await page.locator("table.assets tbody tr", { hasText: "10.0.0.10" }).first().waitFor();
  const text = await page.locator("table.assets tbody").innerText();
  check(text.includes(HOSTILE), "a hostile name is shown as it is");
  check(await page.locator("table.assets tbody img").count() === 0, "and is text, not an element");
  check(await page.title() === "Assets · Sightglass", "and did not run");
  await page.fill("#find", "10.0.0.66");
  await page.locator("#assets-title", { hasText: "1 of" }).waitFor();
  check(await page.locator("table.assets tbody tr").count() === 1, "devices can be found");
  await page.fill("#find", "");
}

/* Last: the store is replaced by something else, and comes back. */
async function saysWhatIsWrong(page) {
  await page.waitForSelector(".live.is-live");
  await rename(STORE, STORE + ".aside");
  await writeFile(STORE, "no database, but long enough to be taken for a file of some kind ".repeat(20));
  await page.waitForSelector(".problem");
  check((await page.locator(".problem").innerText()).includes("not a Sightglass store"), "a broken store is told in words");
  await page.screenshot({ path: `${SCREENSHOTS}/broken.png` });
  await rename(STORE + ".aside", STORE);
  await page.waitForSelector(".problem", { state: "detached" });
  check(await page.locator("table.alerts tbody tr").count() > 0, "and is forgotten when it is well again");
}

async function fits(page, width) {
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  check(overflow <= 0, `nothing sticks out at ${width} px`);
}

async function looks(width, colorScheme) {
  const page = await open({ viewport: { width, height: width > 800 ? 900 : 860 }, colorScheme });
  const name = `${SCREENSHOTS}/${width}-${colorScheme}`;
  await page.waitForSelector(".live.is-live");
  await page.waitForSelector("table.alerts tbody tr");
  await fits(page, width);
  await page.screenshot({ path: `${name}-alerts.png` });
  await page.locator("table.alerts tbody tr", { hasText: "rw.new-writer" }).locator("a").first().click();
  await page.waitForSelector("#detail h2");
  await fits(page, width);
  await page.screenshot({ path: `${name}-detail.png` });
  await page.click('nav a[href="#/assets"]');
  await page.waitForSelector("table.assets tbody tr");
  await fits(page, width);
  await page.screenshot({ path: `${name}-assets.png` });
  check(page.trouble.length === 0, `no trouble at ${width} px, ${colorScheme}: ${page.trouble.join("; ")}`);
  await page.context().close();
}

try {
  const page = await open({ viewport: { width: 1440, height: 900 } });
  await showsAlertsAndDetails(page);
  await goesLive(page);
  await givesEvidence(page);
  await showsAssets(page);
  check(page.trouble.length === 0, "no errors, dialogs or requests elsewhere: " + page.trouble.join("; "));
  await page.context().close();
  await tellsTimesInTheReadersZone();
  for (const width of [400, 1440])
    for (const theme of ["light", "dark"]) await looks(width, theme);
  await saysWhatIsWrong(await open({ viewport: { width: 900, height: 600 } }));
} catch (error) {
  check(false, String(error));
} finally {
  await browser.close();
}
process.exit(failures > 0 ? 1 : 0);
