/* inside.mjs: what stands behind an asset has an id with slashes: its page opens from the list, by its address, and leads to the asset
 * that it is part of. See tests/e2e/test_console_inside.py. */
import { check, go, isText, logIn, open, run } from "./browser.mjs";

const { URL: url, PARENT } = process.env;

await run(async () => {
  const page = await open(url, { viewport: { width: 1440, height: 900 } });
  await page.waitForSelector("input[name=user]");
  await logIn(page, "admin");
  await go(page, "#/assets?q=Meter");
  await page.locator("table.assets tbody a", { hasText: "Meter" }).first().click();
  await page.locator("h1", { hasText: "Meter" }).waitFor();
  check(decodeURIComponent(await page.evaluate(() => location.hash)).startsWith(`#/assets/${PARENT}/1/7`), "the page has the id of what stands inside");
  const text = await page.locator("main").innerText();
  check(text.includes("SN-7") && text.includes("Part of"), "it shows what is known of it");
  await isText(page, "inside");
  await page.locator("a.back").click();
  await page.locator("h2", { hasText: "How that is known" }).waitFor();
  check((await page.evaluate(() => location.hash)) === `#/assets/${PARENT}`, "and leads to the asset that it is part of");
  await go(page, `#/assets/${encodeURIComponent(PARENT + "/9/9")}`);
  await page.locator("main", { hasText: "There is no such asset" }).waitFor();
  check(page.trouble.length === 0, `no trouble: ${page.trouble.join("; ")}`);
});
