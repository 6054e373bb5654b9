import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDatabase, type TestDatabase } from "../../test/support/database.ts";
import type { Ctx } from "../db/ctx.ts";
import { SYSTEM_NAMES } from "../lib/actor.ts";
import { authenticate } from "./authenticate.ts";
import { isSystemName, nameProblem, personKey } from "./names.ts";
import { createToken, ensureAdmin } from "./tokens.ts";

describe("a name of the system", () => {
  it.each([
    ...SYSTEM_NAMES,
    ...SYSTEM_NAMES.map((name) => name.toUpperCase()),
    "sweep (system)",
    "ada (system)",
    "grafana (sender)",
    "ada (person)",
    "ada ( SYSTEM )".replaceAll(" )", ")").replace("( ", "("),
    "Sweep",
    " sweep ",
    "swe\u200bep",
    "\u202esweep",
    "ｓｗｅｅｐ",
    "ѕweep",
    "swеер",
    "sweép",
    "SWEEР",
    "sweep（system）",
    "sweep [system]",
    "sweep — system",
    "sweep: SYSTEM.",
    "ѕᴡᴇᴇᴘ",
    "ꜱᴡᴇᴇᴘ",
    "ꓢꓪꓰꓰꓑ",
    "𝓼𝔀𝓮𝓮𝓹",
    "sweep\u2800",
    "ada <person>",
    "sweep (ѕуѕtem)",
    "first-start",
    "First  Start",
    "auto_approve:playbook",
    "Auto approve",
    "expert system",
    "llm_gpt",
    "configuratіon",
    "p1aybook",
    "5weep",
    "sy5tem",
    "p0l!cy",
    "pr0|ect system (p0licy)",
    "unĸnown",
    "poiicy",
    "awooooi",
    "awoi",
    "AVVOOOOI",
    "sweeep",
    "sweep system",
    "sweep-5y5tem",
    "sweep/system",
    "ada/policy",
    "ada／p0licy",
    "ada - system",
    "ada (system) laptop",
    "auto-repair:pb",
    "silence/night",
    "undo: PB-1",
  ])("is no person's: %j", (name) => {
    expect(isSystemName(name)).toBe(true);
    expect(nameProblem(name, [])).toMatch(/part of the system/);
  });

  it.each([
    "ada",
    "Sweeney",
    "admin",
    "Eve",
    "林小明",
    "陳大文 David",
    "Иван Петров",
    "Ζωή",
    "佐藤 さくら",
    "ops (night)",
    "ci-system",
    "சுந்தர்",
    "አበበ",
    "สมชาย ใจดี",
    "ジョー",
    "O'Brien",
    "Łukasz Żółć",
    "Nguyễn Văn A",
    "張さん🦊",
    "ops2",
    "team5",
    "oncall-1",
    "sre/night",
    "ada@example.com",
    "k8s-admin",
    "Lmiller",
    "Þórður Ægisson",
    "Ŋwane",
    "Ɓala",
    "Sahaiʔa",
  ])("is not this: %s", (name) => {
    expect(isSystemName(name)).toBe(false);
    expect(nameProblem(name, ["Bob"])).toBeNull();
  });
});

describe("a name that looks like another", () => {
  it.each([
    ["аda", "mixes"],
    ["Αda", "mixes"],
    ["аԁа", "looks like ada"],
    ["ädä", "looks like ada"],
    ["a\u0301da", "looks like ada"],
    ["АДА", null],
    ["adа 1", "mixes"],
    ["Adam", null],
    ["b0b", "looks like Bob"],
    ["Воb", "mixes"],
    ["rnary", "looks like mary"],
    ["Ian", "looks like lan"],
    ["Kai", null],
    ["Kal", null],
    ["\u200b\u200b", "no visible letter"],
    ["Иvan", "mixes"],
    ["王Иван", "mixes"],
    ["ada.", "looks like ada"],
    ["“ada”", "looks like ada"],
    ["a\u2800", null],
    ["ada\u2800", null],
    ["\u2800", "no visible letter"],
    ["...", "no visible letter"],
    ["ᴀᴅᴀ", "looks like ada"],
    ["ꓮꓓꓮ", "seldom"],
    ["ⲁⲇⲁ", "seldom"],
    ["ᗪᗩᑎ", "seldom"],
    ["𐐬𐐬", "seldom"],
    ["Ꭰda", "seldom"],
    ["ADᗩ", "seldom"],
  ])("%j: %s", (name, problem) => {
    const found = nameProblem(name, ["ada", "Bob", "mary", "lan"]);
    if (problem === null) expect(found).toBeNull();
    else expect(found).toContain(problem);
  });

  it("is none where it only is another spelling of the same", () => {
    for (const same of ["Ada", " ada ", "ａｄａ", "a\u200bda", "ADA", "\u202eada"]) {
      expect(personKey(same)).toBe("ada");
      expect(nameProblem(same, ["ada"])).toBeNull();
    }
  });
});

// Whose names are there, and what may be read as one of them.
describe("a name that may be read as another", () => {
  const there = ["ada", "bob", "dave", "sam", "kim", "william", "greg", "teams", "王小明", "千田", "マシン"];
  it.each([
    ...["ad4", "@da", "4d@", "ꭤda", "∆da", "ɐda", "8ob", "6ob", "b0b", "b〇b", "ßob"],
    ...[
      "clave",
      "cIave",
      "c1ave",
      "ðave",
      "5am",
      "$am",
      "ƨam",
      "ĸim",
      "k!m",
      "K1M",
      "ki rn".replace(" ", ""),
    ],
    ...[
      "w1ll1am",
      "wi11iam",
      "w1111am",
      "vv!ll!am",
      "9reg",
      "6re9",
      "team5",
      "王小眀",
      "王⼩眀",
      "干田",
      "マツソ",
    ],
  ])("%s is refused", (name) => expect(nameProblem(name, there)).toMatch(/looks like/));

  it.each([
    ["ops2", "ops3"],
    ["team6", "team8", "team9", "team0"],
    ["oncall-1", "oncall-7", "oncall-2"],
    ["Anna", "Ana", "Matt", "Mat"],
    ["Claire", "Clara", "Daire2"],
    ["大郎", "太郎", "王", "玉"],
    ["ops@prod", "ops-prod2"],
  ])("people may be called %s, %s", (...names) => {
    for (const name of names) {
      const others = names.filter((one) => one !== name);
      expect(nameProblem(name, others)).toBeNull();
    }
  });
});

describe("making people", () => {
  let database: TestDatabase;
  let admin: Ctx;
  beforeAll(async () => {
    database = await createDatabase();
    admin = database.ctx({
      kind: "person",
      person_id: "PER-ROOT",
      name: "root",
      role: "admin",
      token_id: "TOK-1",
    });
  });
  afterAll(() => database.drop());
  const make = (person: string) => createToken(admin, { name: "laptop", role: "approver", person });
  const people = async () =>
    (await database.pool.query("select name from people order by name")).rows.map((row) => row.name);
  const invalid = (path: string) =>
    expect.objectContaining({ code: "invalid", errors: [expect.objectContaining({ path })] });

  it("refuses the system's names and those that look like somebody's, and leaves nothing behind", async () => {
    const ada = await make("ada");
    for (const name of ["sweep", "ѕweep", "configuration", "ada (system)", "аda", "аԁа", "àda"])
      await expect(make(name)).rejects.toThrow(invalid("person"));
    await expect(createToken(admin, { name: "pipeline", role: "viewer" })).rejects.toThrow(invalid("name"));
    expect(await people()).toEqual(["ada"]);
    // Other spellings are hers, and shown as hers.
    expect(await make("Ａｄａ")).toMatchObject({ person_id: ada.person_id, person: "ada" });
  });

  it("refuses tokens that are called as somebody else or the system, and leaves nothing behind", async () => {
    const { person_id } = await make("grace");
    const before = await people();
    const call = (name: string, person: string) => createToken(admin, { name, role: "viewer", person });
    for (const name of ["grace", "gr4ce", "Grace.", "sweep", "p0licy", "grace (system)"])
      await expect(call(name, "heidi")).rejects.toThrow(invalid("name"));
    expect(await people()).toEqual(before);
    for (const name of ["grace", "Grace", "laptop-2"])
      expect(await call(name, "grace")).toMatchObject({ person_id, name });
  });

  it("makes one of two that look alike when both are made at once", async () => {
    const made = await Promise.allSettled(["maria", "mаriа", "mária", "rnaria"].map(make));
    expect(made.filter((one) => one.status === "fulfilled")).toHaveLength(1);
  });

  it("renames who was called as the system before that was refused, also by an import, and says so", async () => {
    const old = await make("sven");
    await database.pool.query(
      "update people set name = 'sweep (system)', key = 'sweep (system)' where person_id = $1",
      [old.person_id],
    );
    await ensureAdmin(database.ctx({ kind: "system", name: "bootstrap" }), undefined);
    const actor = await authenticate(database.ctx(), `Bearer ${old.token}`);
    expect(actor).toMatchObject({ person_id: old.person_id, name: `sweep (system) ${old.person_id}` });
    const { rows } = await database.pool.query(
      "select actor_kind, data from audit_entries where action = 'access.renamed'",
    );
    expect(rows).toEqual([
      { actor_kind: "system", data: { from: "sweep (system)", to: `sweep (system) ${old.person_id}` } },
    ]);
    await ensureAdmin(database.ctx({ kind: "system", name: "bootstrap" }), undefined);
    expect(
      (await database.pool.query("select 1 from audit_entries where action = 'access.renamed'")).rows,
    ).toHaveLength(1);
  });

  it("does not take a token for the configuration's because of who made it", async () => {
    const eve = await make("eve");
    await database.pool.query(
      "update tokens set created_by = 'configuration', role = 'admin' where token_id = $1",
      [eve.token_id],
    );
    await ensureAdmin(database.ctx({ kind: "system", name: "bootstrap" }), undefined);
    await expect(authenticate(database.ctx(), `Bearer ${eve.token}`)).resolves.toMatchObject({ name: "eve" });
  });
});
