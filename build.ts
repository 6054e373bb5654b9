/** After `tsc`: puts beside the JavaScript what it reads at run time, the rule files and migrations. */
import { cpSync, globSync } from "node:fs";
import { join } from "node:path";

for (const file of globSync("**/*.{yaml,sql,json}", { cwd: "src" }))
  cpSync(join("src", file), join("dist", file));
