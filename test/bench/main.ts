import { execution } from "./execution.ts";
import { footprint } from "./footprint.ts";
import { garbage } from "./garbage.ts";
import { intake } from "./intake.ts";
import { profile } from "./profile.ts";
import { reads } from "./reads.ts";
import { print } from "./report.ts";
import { signals } from "./signals.ts";
import { storm } from "./storm.ts";
import { suite } from "./suite.ts";

const BENCHES: Record<string, () => Promise<void>> = {
  intake,
  signals,
  storm,
  profile,
  garbage,
  execution,
  footprint,
  reads,
  suite,
};

const name = process.argv[2] ?? "";
const bench = BENCHES[name];
if (bench === undefined) {
  print(`npm run bench -- ${Object.keys(BENCHES).join(" | ")}`);
  process.exitCode = 2;
} else {
  await bench();
}
