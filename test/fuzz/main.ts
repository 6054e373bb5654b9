/** The long run: `npm run fuzz`, with `-- --requests N` and `AWOOOI_TEST_SEED` for another than 100,000. */
import { parseArgs } from "node:util";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { SEED } from "../support/random.ts";
import { Fuzz } from "./run.ts";
import { describe, verdict } from "./verdict.ts";

const { values } = parseArgs({ options: { requests: { type: "string", default: "100000" } } });
const folder = await temporaryFolder("fuzz");
const { fuzz, server } = await Fuzz.start(folder, SEED);
try {
  const figures = await fuzz.run(Number(values.requests));
  const wrong = await verdict(server, figures);
  console.log(describe(figures));
  for (const one of wrong) console.error(`WRONG: ${one}`);
  console.log(
    wrong.length === 0
      ? "every answer as specified; healthy; the audit chain is whole"
      : `${wrong.length} wrong`,
  );
  process.exitCode = wrong.length === 0 ? 0 : 1;
} finally {
  await server.kill();
  await clearFolder(folder);
}
