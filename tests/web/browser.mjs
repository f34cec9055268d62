/* browser.mjs: what the tests in Chromium share: pages whose trouble is remembered, checks, and the end. */
import { chromium } from "playwright-core";

const WAIT_MS = 30000;
let failures = 0;

export function check(isTrue, what) {
  console.log((isTrue ? "ok    " : "FAILED ") + what);
  failures += !isTrue;
}

export const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

/** A page in a context of its own (cookies too). page.trouble: its errors, dialogs, and requests to elsewhere; those that match
 * page.expected are left out: what a test provokes. */
export async function open(url, options) {
  const context = await browser.newContext({ acceptDownloads: true, ...options });
  const page = await context.newPage();
  page.trouble = [];
  page.expected = /^$/;
  const note = (text) => page.expected.test(text) || page.trouble.push(text);
  page.on("pageerror", (error) => note(String(error)));
  page.on("console", (message) => message.type() === "error" && note(message.text()));
  page.on("dialog", (dialog) => { note("dialog"); void dialog.dismiss(); });
  page.on("request", (request) => request.url().startsWith(url) || note("asked " + request.url()));
  page.setDefaultTimeout(WAIT_MS);
  await page.goto(url);
  return page;
}

export async function logIn(page, user) {
  await page.fill("input[name=user]", user);
  await page.fill("input[name=password]", process.env.PASSWORD);
  await page.click("button[type=submit]");
  await page.waitForSelector(".live.is-live");
}

/** Waits until something is true in the page; the page's CSP forbids what playwright has for that. */
export async function until(page, isTrue, what) {
  const ends = Date.now() + WAIT_MS;
  while (!(await page.evaluate(isTrue))) {
    if (Date.now() > ends) throw new Error(`not in time: ${what}`);
    await page.waitForTimeout(50);
  }
}

/** Goes to a place of the page and waits until it shows what it has. */
export async function go(page, hash) {
  await page.evaluate((h) => new Promise((done) => {
    if (location.hash === h) return done();
    addEventListener("hashchange", () => requestAnimationFrame(() => requestAnimationFrame(() => done())), { once: true });
    location.hash = h;
  }), hash);
  await until(page, () => document.querySelector("main h1, main h2, main table, main form, main .empty, main .problem")
    && !document.querySelector("main .waiting"), hash);
}

/** What came from the wire (or from a user) is text wherever it is shown. */
export async function isText(page, where) {
  const alive = await page.evaluate(() => document.querySelectorAll("img[src=x], img[onerror], script:not([src]), svg[onload], [onclick]").length);
  check(alive === 0 && !(await page.title()).includes("pwned"), `${where}: nothing hostile came alive`);
}

export async function run(tests) {
  try {
    await tests();
  } catch (error) {
    check(false, String(error.stack ?? error));
  } finally {
    await browser.close();
  }
  process.exit(failures > 0 ? 1 : 0);
}
