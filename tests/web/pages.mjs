/* pages.mjs: every page of the console, in both themes, wide and narrow: axe-core finds no violation, nothing sticks out, nothing
 * hostile comes alive, nothing goes wrong. See tests/e2e/test_console_pages.py. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { check, go, isText, logIn, open, run, until } from "./browser.mjs";

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

/* Small telephones, tablets, and a wide window at 200 % and 150 %. */
async function fits(page, where) {
  const { width, height } = page.viewportSize(), out = [];
  for (const other of [320, 720, 800, 960]) {
    await page.setViewportSize({ width: other, height });
    const measure = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    let overflow = await measure();
    for (let tries = 0; overflow > 0 && tries < 50; tries++) { /* a map is drawn anew a moment later */
      await page.waitForTimeout(100);
      overflow = await measure();
    }
    if (overflow > 0) out.push(`${overflow} px at ${other} px`);
  }
  await page.setViewportSize({ width, height });
  check(out.length === 0, `${where}: nothing sticks out in between ${out.join(", ")}`);
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
  page.expected = /status of 40[0134]/; // of what is not there or not right, asked for on purpose
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
    if (isFirst) await fits(page, where);
    await page.screenshot({ path: `${SCREENSHOTS}/${width}-${colorScheme}-${hash.replace(/[^a-z0-9]+/gi, "-")}.png` });
  }
  await judgesAsking(page, `${width} px, ${colorScheme}`, width > 700);
  await page.context().clearCookies();
  await page.evaluate(() => { location.hash = "#/overview"; });
  await page.getByText("Your session has ended.").waitFor();
  await judge(page, `a session that ended, ${width} px, ${colorScheme}`);
  await page.fill("input[name=user]", "admin");
  await page.fill("input[name=password]", "wrong");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.locator(".problem").waitFor();
  await judge(page, `a wrong password, ${width} px, ${colorScheme}`);
  check(page.trouble.length === 0, `no trouble at ${width} px, ${colorScheme}: ${page.trouble.join("; ")}`);
  await page.context().close();
}

/* Asks for something, and looks at the question before it is removed, and at what is said afterwards. */
async function judgesRemoving(page, what, button, how) {
  await page.getByRole("button", { name: button, exact: true }).first().click();
  await judge(page, `the question about ${what}, ${how}`);
  await page.getByRole("button", { name: `Yes, ${button.toLowerCase()}` }).click();
  await until(page, () => !document.querySelector("main .danger"), `${what} gone`);
  await judge(page, `without ${what}, ${how}`);
}

/* What is only there when one asks for it: the keys, work on many alerts, decisions, questions, mistakes. */
async function judgesAsking(page, how, hasKeys) {
  await go(page, "#/alerts?triage=all");
  await page.locator("td.mark input").first().check();
  await judge(page, `an alert chosen, ${how}`);
  if (hasKeys) {
    await page.getByRole("button", { name: "Keys" }).click();
    await page.locator("dialog[open]").waitFor();
    await judge(page, `the keys, ${how}`);
    await page.keyboard.press("Escape");
  }
  await page.locator("table.alerts tbody a").first().click();
  const mute = page.locator("details.approve", { hasText: "mute this kind" });
  await mute.locator("summary").click();
  await mute.locator("[name=mute-why]").fill("repair");
  await mute.getByRole("button", { name: "Mute" }).click();
  await page.locator("#detail .notice").waitFor();
  await judge(page, `an alert muted, ${how}`);
  await go(page, "#/muted");
  await judgesRemoving(page, "what is muted", "Lift", how);
  await go(page, "#/baseline/conversations");
  await page.locator("td.mark input").first().check();
  await judge(page, `entries chosen, ${how}`);
  await go(page, "#/assets/declared");
  await page.setInputFiles("input[type=file]", { name: "list.csv", mimeType: "text/csv", buffer: Buffer.from("IP;name;vendor\n10.0.0.10;DOSING;Somebody\n10.0.0.99;GONE;\n") });
  await page.getByRole("button", { name: "Compare" }).click();
  await page.locator(".notice", { hasText: "2 devices are declared" }).waitFor();
  await judge(page, `the plant's list, ${how}`);
  await judgesRemoving(page, "the list", "Remove", how);
  await go(page, "#/admin/tokens");
  await page.fill("[name=name]", "siem");
  await page.getByRole("button", { name: "Add" }).click();
  await page.locator(".secret").waitFor();
  await judge(page, `a new token, ${how}`);
  await judgesRemoving(page, "the token", "Remove", how);
  await go(page, "#/admin");
  await page.getByRole("button", { name: "Remove" }).first().click();
  await judge(page, `a question, ${how}`);
  await go(page, "#/policy");
  await page.locator(".editor textarea").fill("zones: 1\n");
  await page.getByRole("button", { name: "Check" }).click();
  await page.locator(".editor .problem").waitFor();
  await judge(page, `a policy with a mistake, ${how}`);
  await page.locator(".editor textarea").fill("zones: [{name: cell, level: 1, subnets: 10.0.0.0/28}]\n");
  await page.getByRole("button", { name: "Try on the history" }).click();
  await page.locator(".editor .notice").first().waitFor();
  await judge(page, `a policy tried, ${how}`);
  for (const hash of ["#/admin/audit", "#/policy/rules", "#/reports/maintenance", "#/reports/inventory", ...["operations", "objects", "values", "timing", "programs", "writers", "decisions", "nowhere"].map((d) => `#/baseline/${d}`),
    "#/map?protocol=modbus", "#/map?new=1", "#/assets?q=nobody", "#/assets/none", "#/alerts/0f", "#/alerts?q=nothing", "#/stories/0f", "#/variables/0f"]) {
    await go(page, hash);
    await judge(page, `${hash}, ${how}`);
  }
}

await run(async () => {
  for (const width of [1440, 400])
    for (const theme of ["light", "dark"]) await looks(width, theme, width === 1440 && theme === "light");
});
