/* pages.mjs: every page of the console, in both themes, wide and narrow: axe-core finds no violation, nothing sticks out, nothing
 * hostile comes alive, nothing goes wrong. See tests/e2e/test_console_pages.py. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { check, go, isText, logIn, open, run } from "./browser.mjs";

const FIRST_LOAD_MAX = 250000, MAP_LEAST = 50000; // bytes, compressed
const { URL: url, SCREENSHOTS } = process.env;
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

async function judge(page, where) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"],
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }));
  const words = violations.map((v) => `${v.id} (${v.nodes.length}): ${v.nodes[0].target.join(" ")}: ${v.nodes[0].failureSummary}`);
  check(words.length === 0, `${where}: axe finds no violation ${words.join("; ")}`);
  const unseen = await page.evaluate(() => [...document.querySelectorAll("body *")].filter((e) => {
    if (!e.checkVisibility() || ![...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.textContent.trim())) return false;
    let ground = e;
    while (ground.parentElement && /rgba\(.*, 0\)|transparent/.test(getComputedStyle(ground).backgroundColor)) ground = ground.parentElement;
    return getComputedStyle(e).color === getComputedStyle(ground).backgroundColor;
  }).map((e) => `${e.className}: ${e.textContent}`));
  check(unseen.length === 0, `${where}: no text has the colour of its ground (axe passes these over) ${unseen.slice(0, 3).join("; ")}`);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  check(overflow <= 0, `${where}: nothing sticks out${overflow > 0 ? `, but ${overflow} px do` : ""}`);
  await isText(page, where);
}

/* What a browser fetches for the first page is small, and the drawing of maps is not among it. */
async function isLight(page) {
  const fetched = () => page.evaluate(() => performance.getEntriesByType("resource").map((r) => [new URL(r.name).pathname, r.encodedBodySize])
    .filter(([path]) => !path.startsWith("/api/")));
  const sizeOf = (list) => list.reduce((sum, [, size]) => sum + size, 0);
  const first = await fetched();
  check(first.some(([path]) => path === "/app.js"), "the page has a script");
  check(sizeOf(first) > 0 && sizeOf(first) < FIRST_LOAD_MAX, `the first page takes ${sizeOf(first)} bytes`);
  await go(page, "#/map");
  await page.waitForSelector(".map-box canvas");
  const all = await fetched();
  check(sizeOf(all) > sizeOf(first) + MAP_LEAST, `the map brings its library when it is opened: ${sizeOf(all) - sizeOf(first)} bytes`);
}

/* All of the menu, the account, and the first of each list, opened. */
async function places(page) {
  const menu = await page.locator("nav[aria-label=Pages] a").evaluateAll((links) => links.map((a) => a.getAttribute("href")));
  const opened = [];
  for (const hash of menu) {
    await go(page, hash);
    const kind = hash.replace(/^#\//, "");
    const link = page.locator(`main a[href^="#/${kind}/"]`).first();
    if (await link.count()) opened.push(await link.getAttribute("href"));
  }
  return [...menu, ...opened, "#/account", "#/muted", "#/nowhere"];
}

async function looks(width, colorScheme, isFirst) {
  const page = await open(url, { viewport: { width, height: 900 }, colorScheme, reducedMotion: "reduce" });
  page.expected = /status of 404/; // of what is not there, asked for on purpose
  await page.waitForSelector("input[name=user]");
  await judge(page, `log-in at ${width} px, ${colorScheme}`);
  await logIn(page, "admin");
  if (isFirst) await isLight(page);
  const all = await places(page);
  check(all.length > 8, `there are pages: ${all.join(" ")}`);
  for (const hash of all) {
    await go(page, hash);
    const where = `${hash} at ${width} px, ${colorScheme}`;
    await judge(page, where);
    if (await page.evaluate(() => [...document.querySelectorAll("main details")].map((d) => { d.open = true; }).length) > 0) await judge(page, `${where}, all opened`);
    await page.screenshot({ path: `${SCREENSHOTS}/${width}-${colorScheme}-${hash.replace(/[^a-z0-9]+/gi, "-")}.png` });
  }
  if (width > 700) await judgesAsking(page, colorScheme);
  check(page.trouble.length === 0, `no trouble at ${width} px, ${colorScheme}: ${page.trouble.join("; ")}`);
  await page.context().close();
}

/* What is only there when one asks for it: the keys, work on many alerts, decisions, a question before something is removed. */
async function judgesAsking(page, colorScheme) {
  await go(page, "#/alerts?triage=all");
  await page.getByLabel("Choose all that are shown").check();
  await judge(page, `alerts chosen, ${colorScheme}`);
  await page.getByRole("button", { name: "Keys" }).click();
  await page.locator("dialog[open]").waitFor();
  await judge(page, `the keys, ${colorScheme}`);
  await page.keyboard.press("Escape");
  await go(page, "#/baseline/conversations");
  await page.locator("td.mark input").first().check();
  await judge(page, `entries chosen, ${colorScheme}`);
  await go(page, "#/admin");
  await page.getByRole("button", { name: "Remove" }).first().click();
  await judge(page, `a question, ${colorScheme}`);
  for (const hash of ["#/admin/tokens", "#/admin/audit", "#/policy/rules", "#/reports/maintenance", "#/reports/inventory", "#/baseline/writers", "#/baseline/decisions",
    "#/assets/declared", "#/assets/none", "#/alerts/0f"]) {
    await go(page, hash);
    await judge(page, `${hash}, ${colorScheme}`);
  }
}

await run(async () => {
  for (const width of [1440, 400])
    for (const theme of ["light", "dark"]) await looks(width, theme, width === 1440 && theme === "light");
});
