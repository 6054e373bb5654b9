import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..");

/** Stages in the order in which an alert passes them; each may import the doors of those before it. */
const STAGES = [
  "intake",
  "incident",
  "silence",
  "operation",
  "investigation",
  "playbook",
  "decision",
  "approval",
  "execution",
  "supervision",
  "verification",
  "learning",
];
const BASE = ["audit", "outbox", "access", "db", "contract", "lib"];
const ADAPTER_PORTS = [
  "intake",
  "operation",
  "investigation",
  "execution",
  "supervision",
  "verification",
  "notification",
];

/** Who may import whom. A room that is not here does not exist. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  lib: [],
  contract: [],
  db: ["lib"],
  audit: ["db", "contract", "lib"],
  outbox: ["db", "contract", "lib"],
  access: ["audit", "db", "contract", "lib"],
  ...Object.fromEntries(STAGES.map((stage, index) => [stage, [...BASE, ...STAGES.slice(0, index)]])),
  notification: [...BASE, ...STAGES],
  adapters: [...ADAPTER_PORTS, "contract", "lib"],
  pipeline: [...STAGES, "outbox", "db", "contract", "lib"],
  view: [...STAGES, "db", "contract", "lib"],
  http: ["view", ...STAGES, "notification", "access", "audit", "db", "contract", "lib"],
  cli: ["contract", "lib", "intake", "incident", "silence", "operation", "playbook", "decision"],
  app: ["*"],
  main: ["app", "cli"],
};

/** Packages that belong to a few rooms only. */
const PACKAGES: [RegExp, (file: string) => boolean, string][] = [
  [/^@dbos-inc\//, (file) => /^src\/(pipeline|app)\//.test(file), "DBOS belongs to pipeline and app"],
  [/^(fastify|@fastify\/)/, (file) => /^src\/(http|app)\//.test(file), "Fastify belongs to http and app"],
  [
    /^drizzle-orm/,
    (file) => /^src\/db\//.test(file) || /\/store\.ts$/.test(file),
    "SQL belongs to db and to the stores",
  ],
  [/^prom-client$/, (file) => /^src\/app\//.test(file), "prom-client belongs to app"],
  [/^commander$/, (file) => /^src\/cli\//.test(file), "commander belongs to cli"],
];

// Rooms without a door of their own: they are what every room stands on.
const OPEN = new Set(["lib", "contract", "db"]);

type Import = { file: string; target: string };

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), "utf8");
  const found = text.matchAll(
    /(?:^|\s)(?:import|export)\s[^;]*?from\s+"([^"]+)"|import\(\s*"([^"]+)"\s*\)|^import\s+"([^"]+)"/gm,
  );
  return [...found].map((match) => ({ file, target: (match[1] ?? match[2] ?? match[3]) as string }));
}

const roomOf = (file: string) => {
  const [, room = ""] = file.split("/");
  return room.endsWith(".ts") ? room.slice(0, -3) : room;
};

function violation({ file, target }: Import): string | undefined {
  if (!target.startsWith(".")) {
    const rule = PACKAGES.find(([pattern, allowed]) => pattern.test(target) && !allowed(file));
    return rule && `${file} imports ${target}: ${rule[2]}`;
  }
  const path = relative(ROOT, normalize(join(ROOT, dirname(file), target)));
  const [from, to] = [roomOf(file), roomOf(path)];
  if (!path.startsWith("src/")) return `${file} imports ${path}, which is not in src`;
  if (from === to && from !== "adapters") return undefined;
  if (from === "adapters" && to === "adapters") {
    const [one, other] = [file, path].map((each) => each.split("/").slice(2, 4).join("/"));
    return one === other ? undefined : `${file} imports another adapter, ${path}`;
  }
  const allowed = MAY_IMPORT[from];
  if (allowed === undefined) return `${file} is in a room that is not in the table`;
  if (from === "app") return undefined;
  if (!allowed.includes(to)) return `${file} imports ${path}: ${from} may not import ${to}`;
  return OPEN.has(to) || path.endsWith("/index.ts")
    ? undefined
    : `${file} imports ${path}, past the door of ${to}`;
}

const TABLES = new Set(
  globSync("src/db/schema/*.ts", { cwd: ROOT }).flatMap((file) =>
    [...readFileSync(join(ROOT, file), "utf8").matchAll(/export const (\w+) = pgTable\(/g)].map(
      (match) => match[1] ?? "",
    ),
  ),
);

/** The tables that a source text inserts into, updates or deletes from: by drizzle's verbs, or in SQL. */
function tablesWrittenBy(text: string): string[] {
  const verbs = text.matchAll(/\.(?:insert|update|delete)\(\s*(\w+)\s*\)/g);
  const sql = text.matchAll(/\b(?:insert into|update|delete from)\s+(?:\$\{)?"?(\w+)"?/gi);
  return [...new Set([...verbs, ...sql].map((match) => match[1] ?? ""))].filter((name) => TABLES.has(name));
}

/** Where things are that one list names, each by one line. The file of the list, and the pattern of their files. */
const LISTS = [
  { list: "src/app/adapters.ts", things: "src/adapters/*/*/index.ts" },
  { list: "src/operation/operation.ts", things: "src/operation/kinds/*.ts" },
  {
    list: "src/adapters/executors/kubernetes/act/operations/index.ts",
    things: "src/adapters/executors/kubernetes/act/operations/*.ts",
  },
];

/** The paths that a file imports from `src`. */
const importedBy = (file: string): string[] =>
  importsOf(file)
    .filter(({ target }) => target.startsWith("."))
    .map(({ target }) => relative(ROOT, normalize(join(ROOT, dirname(file), target))));

/** What is wrong with the things of a list: those that it does not import, and imports of them by other files. */
function listFaults(
  { list, imported, things }: Listed,
  importers: ReadonlyMap<string, readonly string[]>,
): string[] {
  const missing = things
    .filter((one) => !imported.includes(one))
    .map((one) => `${list} does not list ${one}`);
  const others = [...importers].flatMap(([file, targets]) =>
    targets
      .filter((one) => things.includes(one))
      .map((one) => `${file} imports ${one}, which only ${list} may`),
  );
  return [...missing, ...others];
}
type Listed = { list: string; imported: readonly string[]; things: readonly string[] };

const files = globSync("src/**/*.ts", { cwd: ROOT }).filter((file) => !file.endsWith(".test.ts"));

describe("architecture", () => {
  it("finds the source files and their imports", () => {
    expect(files.length).toBeGreaterThan(80);
    expect(files.flatMap(importsOf).length).toBeGreaterThan(300);
  });

  it("has every room in the table, and every room of the table in the source", () => {
    const rooms = new Set(files.map(roomOf));
    expect([...rooms].filter((room) => MAY_IMPORT[room] === undefined)).toEqual([]);
    expect(Object.keys(MAY_IMPORT).filter((room) => !rooms.has(room))).toEqual([]);
  });

  it("lets every room import only what the table allows, through the doors", () => {
    expect(files.flatMap(importsOf).flatMap((one) => violation(one) ?? [])).toEqual([]);
  });

  it.each([
    ["src/incident/converge.ts", "../approval/index.ts"],
    ["src/intake/normalise/normalise.ts", "../../incident/index.ts"],
    ["src/http/routes/incidents.ts", "../../incident/store.ts"],
    ["src/http/routes/incidents.ts", "../../pipeline/index.ts"],
    ["src/lib/error.ts", "../db/client.ts"],
    ["src/adapters/notifiers/webhook/index.ts", "../log/index.ts"],
    ["src/incident/converge.ts", "@dbos-inc/dbos-sdk"],
    ["src/approval/approve.ts", "drizzle-orm"],
    ["src/cli/index.ts", "../app/index.ts"],
    ["src/approval/approve.ts", "../../test/support/random.ts"],
  ])("refuses a planted violation: %s importing %s", (file, target) => {
    expect(violation({ file, target })).toBeDefined();
  });

  it("names every adapter and operation in its list, and nowhere else", () => {
    for (const { list, things } of LISTS) {
      const own = globSync(things, { cwd: ROOT }).filter((one) => one !== list && !one.endsWith(".test.ts"));
      expect(own.length).toBeGreaterThan(3);
      // A thing's own folder may use it.
      const importers = new Map(
        files
          .filter((file) => file !== list && !own.some((one) => dirname(one) === dirname(file)))
          .map((file) => [file, importedBy(file)]),
      );
      expect(listFaults({ list, imported: importedBy(list), things: own }, importers)).toEqual([]);
    }
  });

  it.each<[string, string[], [string, string[]][]]>([
    ["a thing that no line names", ["a/one.ts"], []],
    ["a thing that another file knows", ["a/one.ts", "a/two.ts"], [["src/http/app.ts", ["a/two.ts"]]]],
  ])("refuses %s", (_what, imported, importers) => {
    const things = ["a/one.ts", "a/two.ts"];
    expect(listFaults({ list: "list.ts", imported, things }, new Map(importers))).toHaveLength(1);
  });

  it("has every table written by one room alone", () => {
    const tables = new Map<string, Set<string>>();
    for (const file of files)
      for (const table of tablesWrittenBy(readFileSync(join(ROOT, file), "utf8")))
        tables.set(table, (tables.get(table) ?? new Set()).add(roomOf(file)));
    // Forms that an earlier version stored are brought up to date while the schema is, before any room works.
    for (const rooms of tables.values()) rooms.delete("db");
    const shared = [...tables]
      .filter(([, rooms]) => rooms.size > 1)
      .map(([table, rooms]) => [table, ...rooms]);
    expect(shared).toEqual([]);
    expect(tables.get("alerts")).toEqual(new Set(["intake"]));
    expect(tables.size).toBeGreaterThan(20);
  });

  it.each([
    ["await ctx.db.insert(alerts).values(row);", ["alerts"]],
    ["ctx.db.delete(signatures).where(x)", ["signatures"]],
    [
      "sql`update $" + "{incidents} i set x = 1`; sql`insert into outbox (topic) values (1)`",
      ["incidents", "outbox"],
    ],
    ["sql`select * from alerts for update`; ctx.db.select().from(alerts)", []],
  ])("knows which tables %j writes", (text, written) => {
    expect(tablesWrittenBy(text)).toEqual(written);
  });

  it("reads the environment in one place", () => {
    const allowed = [
      "src/app/config/load.ts",
      // Passes it on to where it is read.
      "src/app/index.ts",
      "src/main.ts",
      // Reads no setting: hands PATH and the like on to the processes that it starts.
      "src/adapters/executors/local-process/child-env.ts",
    ];
    const readers = files.filter((file) =>
      /process\.env|from "node:process"/.test(readFileSync(join(ROOT, file), "utf8")),
    );
    expect(readers.filter((file) => !allowed.includes(file))).toEqual([]);
  });

  it("keeps files short enough to read", () => {
    const long = files.filter((file) => readFileSync(join(ROOT, file), "utf8").split("\n").length > 400);
    expect(long).toEqual([]);
  });
});
