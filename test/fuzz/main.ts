/**
 * The long run: `npm run fuzz`, with `-- --requests N` and `AWOOOI_TEST_SEED` for another than 100,000; with
 * `-- --expensive` bodies that cost much, and what they cost others; `--only TEXT` those with it in their names.
 */
import { parseArgs } from "node:util";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { SEED } from "../support/random.ts";
import { CostlyRun, excess, HEADING, row } from "./costly.ts";
import { BODIES } from "./costly-bodies.ts";
import { HISTORIES } from "./costly-histories.ts";
import { STRANGERS } from "./costly-strangers.ts";
import { Fuzz } from "./run.ts";
import { describe, verdict } from "./verdict.ts";

const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "100000" },
    expensive: { type: "boolean", default: false },
    only: { type: "string", default: "" },
  },
});

async function requests(): Promise<string[]> {
  const folder = await temporaryFolder("fuzz");
  const { fuzz, server } = await Fuzz.start(folder, SEED);
  try {
    const figures = await fuzz.run(Number(values.requests));
    const wrong = await verdict(server, figures);
    console.log(describe(figures));
    return wrong;
  } finally {
    await server.kill();
    await clearFolder(folder);
  }
}

/** Each kind against a server of its own: none pays for another. */
async function expensive(): Promise<string[]> {
  const wrong: string[] = [];
  console.log(HEADING);
  for (const costly of [...BODIES, ...STRANGERS, ...HISTORIES].filter(({ name }) =>
    name.includes(values.only),
  )) {
    const folder = await temporaryFolder("costly");
    const { run, server } = await CostlyRun.start(folder);
    try {
      const cost = await run.measure(costly);
      console.log(row(cost));
      wrong.push(...excess(cost));
    } finally {
      await run.close();
      await server.kill();
      await clearFolder(folder);
    }
  }
  return wrong;
}

const wrong = await (values.expensive ? expensive() : requests());
for (const one of wrong) console.error(`WRONG: ${one}`);
const well = values.expensive
  ? "none held another sender up, or took more memory, than it may"
  : "every answer as specified; healthy; the audit chain is whole";
console.log(wrong.length === 0 ? well : `${wrong.length} wrong`);
process.exitCode = wrong.length === 0 ? 0 : 1;
