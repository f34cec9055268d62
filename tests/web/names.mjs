/* names.mjs: walks through every page that a link of the console leads to, opens whatever can be opened, and looks for names that became
 * elements or ran. NAMES are the numbers of the hostile names that must have been seen as text. See tests/e2e/test_console_names.py. */
import { check, go, isText, logIn, open, run } from "./browser.mjs";

const { URL: url, NAMES } = process.env;
const PAGES_MAX = 150, OF_A_KIND = 40;
const seen = new Map(); // number of a name: the first page that shows it

/** "#/alerts/ID" is one of a kind; those of one kind need not all be looked at. */
const kindOf = (hash) => hash.split("?")[0].split("/").slice(0, 2).join("/") + (hash.split("/").length > 2 ? "/…" : "");

/** What the page says when everything on it is open, with the tips and labels. */
async function words(page) {
  return page.evaluate(() => {
    for (const details of document.querySelectorAll("details")) details.open = true;
    const told = [...document.querySelectorAll("main [title], main [aria-label], main option, main [value]")]
      .map((e) => [e.getAttribute("title"), e.getAttribute("aria-label"), e.textContent, e.getAttribute("value")].join(" "));
    return document.body.innerText + told.join(" ");
  });
}

await run(async () => {
  const page = await open(url, { viewport: { width: 1440, height: 900 } });
  await page.waitForSelector("input[name=user]");
  await logIn(page, "admin");
  await go(page, "#/assets");
  const columns = (await page.evaluate(async () => Object.keys((await (await fetch("/api/v1/assets?limit=100")).json()).assets.reduce((all, a) => ({ ...all, ...a }), {})))).join(",");
  const waiting = ["#/overview", `#/assets?columns=${columns}`, "#/alerts?triage=all", "#/muted", "#/account"], known = new Set(waiting), kinds = new Map();
  let visited = 0;
  while (waiting.length > 0 && visited < PAGES_MAX) {
    const hash = waiting.shift();
    await go(page, hash);
    const said = await words(page);
    for (const [, number] of said.matchAll(/<img src=x onerror=alert\((\d+)\)/g)) if (!seen.has(number)) seen.set(number, hash.split("?")[0]);
    await isText(page, hash.split("?")[0]);
    check(page.trouble.length === 0, `${hash.split("?")[0]}: no errors, dialogs, dead links or requests elsewhere: ${page.trouble.splice(0).join("; ")}`);
    visited++;
    const links = await page.evaluate(() => [...document.querySelectorAll('a[href^="#/"]')].map((a) => a.getAttribute("href")));
    for (const link of links) {
      const kind = kindOf(link), count = kinds.get(kind) ?? 0;
      if (known.has(link) || count >= OF_A_KIND) continue;
      known.add(link);
      kinds.set(kind, count + 1);
      waiting.push(link);
    }
  }
  check(visited > 40, `${visited} pages were looked at`);
  for (const number of NAMES.split(",")) check(seen.has(number), `name ${number} is shown as text (${seen.get(number) ?? "nowhere"})`);
});
