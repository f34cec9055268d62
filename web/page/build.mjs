/* build.mjs OUT MODULES: bundles the page into the folder OUT, each file also compressed, and writes OUT/pages.def, by which
 * web/pages.c takes them into the program. MODULES is the node_modules that `npm ci` made. */
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const [out, modules] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const { build } = createRequire(join(modules, "x.js"))("esbuild");
const types = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
  json: "application/json",
};

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await build({
  entryPoints: [join(here, "src/app.tsx"), join(here, "style.css")],
  outdir: out,
  entryNames: "[name]",
  chunkNames: "[name]", // of what is loaded only on its page
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "none",
  jsx: "automatic",
  jsxImportSource: "preact",
  nodePaths: [modules],
  logLevel: "warning",
});
for (const file of ["index.html", "icon.svg"]) await copyFile(join(here, file), join(out, file));
await copyFile(join(here, "../openapi.json"), join(out, "openapi.json"));

const rows = [];
for (const file of (await readdir(out)).sort()) {
  const bytes = await readFile(join(out, file));
  await writeFile(join(out, `${file}.gz`), gzipSync(bytes, { level: 9 }));
  const path = file === "index.html" ? "/" : `/${file}`;
  rows.push(`PAGE(${file.replace(/[^A-Za-z0-9]/g, "_")}, "${path}", "${types[file.split(".").pop()]}", "${file}")`);
}
await writeFile(join(out, "pages.def"), rows.join("\n") + "\n");
