/* flows.mjs: people at work: an alert from its arrival to its close, an approval that the sensor obeys, roles, another site, a
 * console that is started again under an open page, logging out. See tests/e2e/test_console_flows.py. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { check, go, isText, logIn, open, run, until } from "./browser.mjs";

const { SIGHTGLASS, STORE, NIGHT, LATER, AGAIN } = process.env;
const HOSTILE = "<img src=x onerror=document.title='pwned'><script>document.title='pwned'</script>";

/* --- the console and the sensor --- */

let server, url;

async function start(port) {
  server = spawn(SIGHTGLASS, ["console", "-s", STORE, "--listen", `127.0.0.1:${port}`], { stdio: ["ignore", "ignore", "pipe"] });
  for await (const line of createInterface({ input: server.stderr })) {
    url = line.match(/http:\/\/127\.0\.0\.1:\d+\//)?.[0];
    break;
  }
  server.stderr.resume();
  if (!url) throw new Error("the console does not serve");
}

async function stop() {
  const ended = once(server, "exit");
  server.kill("SIGTERM");
  const [code] = await ended;
  check(code === 0, `the console ends well (${code})`);
}

const sensor = (capture) => promisify(execFile)(SIGHTGLASS, ["run", "-r", capture, "-m", "detect", "-s", STORE]);

async function person(user) {
  const page = await open(url, { viewport: { width: 1440, height: 1000 } });
  await page.waitForSelector("input[name=user]");
  await logIn(page, user);
  return page;
}

const alertsOf = (page, query) => page.evaluate(async (q) => (await (await fetch("/api/v1/alerts?limit=500" + q)).json()).alerts, query);
const statusOf = (page, method, path, headers, body) => page.evaluate(async ([m, p, h, b]) =>
  (await fetch(p, { method: m, headers: h, body: b })).status, [method, path, headers, body]);
const csrfOf = (page) => page.evaluate(async () => (await (await fetch("/api/v1/session")).json()).csrf);

async function shuts(page, who) {
  check(page.trouble.length === 0, `${who} had no trouble: ${page.trouble.join("; ")}`);
  await page.context().close();
}

/* --- the tests --- */

const approveOf = (page) => page.locator("#detail details", { hasText: "This is normal: approve…" });

async function closesALiveAlert() {
  const page = await person("ann");
  await go(page, "#/alerts");
  await page.waitForSelector("table.alerts tbody tr");
  check((await alertsOf(page, "&rule=rw.new-writer")).length === 0, "the stranger has not written yet");
  await page.evaluate(() => { window.isSamePage = true; });
  await sensor(NIGHT);
  const row = page.locator("table.alerts tbody tr", { hasText: "rw.new-writer" });
  await row.first().waitFor();
  check(await page.evaluate(() => window.isSamePage), "the alert arrives without a reload");
  await row.first().locator("a").first().click();
  const detail = page.locator("#detail");
  await detail.getByText("Nobody has looked at this yet.").waitFor();
  await detail.locator("textarea").fill("asked the shift: " + HOSTILE);
  await detail.getByRole("button", { name: "Acknowledge" }).click();
  await detail.getByText("This alert is acknowledged.").waitFor();
  check((await detail.locator(".history").innerText()).includes(HOSTILE), "a hostile note is shown as it is");
  await isText(page, "the note");
  await detail.getByRole("button", { name: "Assign to me" }).click();
  await detail.getByText("Assigned to ann.").waitFor();
  await detail.getByRole("button", { name: "Close", exact: true }).click();
  await detail.getByText("This alert is closed.").waitFor();
  await until(page, () => ![...document.querySelectorAll("table.alerts tbody tr")].some((r) => r.textContent.includes("rw.new-writer")), "the list without it");
  check(true, "a closed alert leaves the list of the open ones");
  const [alert] = await alertsOf(page, "&rule=rw.new-writer&triage=closed");
  check(alert?.assignee === "ann", "the store knows who closed it");
  const history = await page.evaluate(async (id) => (await (await fetch("/api/v1/alerts/" + id)).json()).history, alert.id);
  check(history.map((h) => h.state).join() === "acknowledged,acknowledged,closed" && history.every((h) => h.by === "ann"), "and how");
  check(await approveOf(page).count() === 0, "an analyst cannot approve");
  await shuts(page, "the analyst");
}

const told = async (page, host) => (await alertsOf(page, "&rule=rw&host=" + host)).reduce((sum, a) => sum + a.count, 0);

/* Who has no policy yet begins with one that is right. */
async function beginsAPolicy() {
  const page = await person("eve");
  await go(page, "#/policy");
  await page.locator(".editor textarea").fill("zones:\n  - name: cell\n    lvel: 1\n");
  await page.getByRole("button", { name: "Check" }).click();
  await page.locator(".editor .problem", { hasText: /^Line 3: policy key `zones.lvel` is unknown/ }).waitFor();
  check(true, "a mistake is named with its line");
  await page.locator(".editor textarea").fill("");
  await page.getByRole("button", { name: "Begin with an example" }).click();
  await page.getByRole("button", { name: "Check" }).click();
  await page.locator(".result .notice").waitFor();
  check((await page.locator(".result .notice").innerText()).startsWith("Well-formed: 2 zones"), `the example is right: ${await page.locator(".result .notice").innerText()}`);
  check(await page.getByRole("button", { name: "Begin with an example" }).count() === 0, "and is offered to an empty text only");
  await shuts(page, "the engineer with a policy");
}

async function approvesWhatIsNormal() {
  const page = await person("eve");
  const [alert] = await alertsOf(page, "&rule=rw.new-writer&host=10.0.0.66");
  await go(page, "#/alerts/" + alert.id);
  const form = approveOf(page);
  await form.locator("summary").click();
  await form.locator("input[name=why]").fill("change ticket 7");
  await form.locator("select[name=days]").selectOption("0");
  await form.getByRole("button", { name: "Approve" }).click();
  await page.getByText("The sensor will know within a second").waitFor();
  const before = await told(page, "10.0.0.66");
  await sensor(LATER); // the same write again, and one by another stranger
  check(await told(page, "10.0.0.66") === before, "the same event is not told again");
  check(await told(page, "10.0.0.67") > 0, "another's is");
  await shuts(page, "the engineer");
}

async function keepsRolesApart() {
  const page = await person("vic");
  page.expected = /status of 403/;
  const [alert] = await alertsOf(page, "");
  await go(page, "#/alerts/" + alert.id);
  await page.locator("#detail h2").waitFor();
  for (const what of ["#detail .work", "#detail form", ".bulk", ".mark"])
    check(await page.locator(what).count() === 0, `a viewer does not see ${what}`);
  check(await page.locator('nav a[href="#/admin"]').count() === 0, "nor the administration");
  const headers = { "Content-Type": "application/json", "X-CSRF-Token": await csrfOf(page) };
  for (const [method, path, body] of [["POST", "/api/v1/alerts/triage", JSON.stringify({ ids: [alert.id], state: "closed" })],
    ["POST", `/api/v1/alerts/${alert.id}/approve`, '{"why":"x"}'], ["POST", "/api/v1/users", "{}"], ["GET", "/api/v1/users", undefined],
    ["GET", "/api/v1/audit", undefined], ["POST", "/api/v1/tokens", "{}"], ["DELETE", "/api/v1/users/ann", undefined]])
    check(await statusOf(page, method, path, headers, body) === 403, `a viewer may not ${method} ${path}`);
  const ann = await person("ann");
  ann.expected = /status of 403/;
  const body = JSON.stringify({ ids: [alert.id], state: "closed" }), json = { "Content-Type": "application/json" };
  check(await statusOf(ann, "POST", "/api/v1/alerts/triage", json, body) === 403, "no change without the CSRF token");
  check(await statusOf(ann, "POST", "/api/v1/alerts/triage", { ...json, "X-CSRF-Token": headers["X-CSRF-Token"] }, body) === 403,
    "nor with another session's");
  check((await alertsOf(ann, "")).find((a) => a.id === alert.id).triage === alert.triage, "and nothing was changed");
  check(await ann.evaluate(() => document.cookie) === "", "the cookie is not for scripts");
  await shuts(ann, "the analyst with a wrong token");
  await shuts(page, "the viewer");
}

async function comesBackByItself() {
  const page = await person("ann");
  page.expected = /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/;
  await go(page, "#/alerts");
  await page.waitForSelector("table.alerts tbody tr");
  await page.evaluate(() => { window.isSamePage = true; });
  await stop();
  await page.waitForSelector(".live.is-lost");
  await start(new URL(url).port);
  await page.waitForSelector(".live.is-live");
  await sensor(AGAIN);
  await page.locator("table.alerts tbody tr", { hasText: "10.0.0.68" }).first().waitFor();
  check(await page.evaluate(() => window.isSamePage), "the page lives on when the console was started again");
  await shuts(page, "who watched a restart");
}

/* A session that the server ended says so, and one goes on where one was. */
async function sessionEnds() {
  const page = await person("ann");
  page.expected = /status of 401/;
  await go(page, "#/stories");
  await page.context().clearCookies();
  await page.evaluate(() => { location.hash = "#/assets?q=10.0.0.10"; });
  await page.getByText("Your session has ended.").waitFor();
  await logIn(page, "ann");
  await page.locator("table.assets tbody tr").first().waitFor();
  check(await page.evaluate(() => location.hash) === "#/assets?q=10.0.0.10", "after logging in again one is where one was");
  await page.getByRole("button", { name: "Log out" }).click();
  await page.waitForSelector("input[name=user]");
  check(await page.getByText("Your session has ended.").count() === 0, "who logs out needs not be told");
  await shuts(page, "whose session ended");
}

async function logsOut() {
  const page = await person("vic");
  page.expected = /status of 401/;
  const cookies = await page.context().cookies();
  check(cookies.length === 1 && cookies[0].httpOnly && cookies[0].sameSite === "Strict", "one cookie, for this site only");
  await page.getByRole("button", { name: "Log out" }).click();
  await page.waitForSelector("input[name=user]");
  check((await page.context().cookies()).length === 0, "the cookie is gone");
  await page.context().addCookies(cookies);
  check(await statusOf(page, "GET", "/api/v1/alerts", {}) === 401, "and is worth nothing to who kept it");
  await shuts(page, "who logged out");
}

await start(0);
await run(async () => {
  try {
    await closesALiveAlert();
    await beginsAPolicy();
    await approvesWhatIsNormal();
    await keepsRolesApart();
    await comesBackByItself();
    await sessionEnds();
    await logsOut();
  } finally {
    await stop();
  }
});
