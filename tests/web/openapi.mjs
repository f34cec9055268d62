/* openapi.mjs: judges an OpenAPI document (the argument) by the validator of somebody else. See tests/e2e/test_openapi.py. */
import { Validator } from "@seriousme/openapi-schema-validator";
import { readFile } from "node:fs/promises";

const validator = new Validator();
const result = await validator.validate(JSON.parse(await readFile(process.argv[2], "utf8")));
if (result.valid) console.log(`valid OpenAPI ${validator.version}`);
else console.log(typeof result.errors === "string" ? result.errors : JSON.stringify(result.errors, null, 1));
process.exit(result.valid && validator.version === "3.1" ? 0 : 1);
