/* exports.mjs: takes the inventory away by each button of the page, whole and filtered; what is in the files is looked at by
 * tests/e2e/test_console_exports.py. */
import { join } from "node:path";
import { check, go, logIn, open, run } from "./browser.mjs";

const { URL: url, FILES } = process.env;

await run(async () => {
  const page = await open(url, { viewport: { width: 1440, height: 900 } });
  await logIn(page, "vic");
  for (const [hash, prefix] of [["#/assets", "all-"], ["#/assets?q=10.0.0.10", "one-"]]) {
    await go(page, hash);
    const group = page.getByRole("group", { name: "Take the list away as a file" }), titles = await group.locator("a").allTextContents();
    check(titles.join() === "CSV,JSON lines,NetBox,CycloneDX", `the forms: ${titles.join(", ")}`);
    for (const title of titles) {
      const [download] = await Promise.all([page.waitForEvent("download"), group.getByText(title, { exact: true }).click()]);
      check((await download.failure()) === null, `${prefix}${title} comes as a file`);
      await download.saveAs(join(FILES, prefix + download.suggestedFilename()));
    }
  }
  check(page.trouble.length === 0, `no trouble ${page.trouble.join("; ")}`);
});
