import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const SECRET = "hunter2-S3cr3t";
const MODULE = new URL("./log.ts", import.meta.url).href;

/** The lines that `script`, which is given a `log` of this level, leaves on standard error. */
async function logged(
  script: string,
  level = "debug",
): Promise<{ text: string; lines: Record<string, unknown>[] }> {
  const code = `import { createLog } from ${JSON.stringify(MODULE)};
    const log = createLog(${JSON.stringify(level)}); const SECRET = ${JSON.stringify(SECRET)};
    ${script}`;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", code]);
  expect(stdout).toBe("");
  const lines = stderr.split("\n").filter(Boolean);
  return { text: stderr, lines: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe("the log", () => {
  it("takes credentials out of fields, however deep, and out of every text", async () => {
    const { text, lines } = await logged(`
      log.info({ password: SECRET, note: "kept" }, "a password");
      log.info({ a: { b: [{ api_key: SECRET, Authorization: "Bearer " + SECRET }] } }, "deep down");
      log.warn({ url: "postgresql://awoooi:" + SECRET + "@db/awoooi" }, "in a value");
      log.error({ error: "refused: token=" + SECRET }, "in an error's text");
      log.info({}, "in the text: Bearer " + SECRET);
      log.info("without fields: password=" + SECRET);
      log.debug({ labels: { client_secret: SECRET } }, "in labels");`);
    expect(text).not.toContain(SECRET);
    expect(text).toContain("[redacted]");
    expect(lines).toHaveLength(7);
    expect(lines[0]).toMatchObject({ level: "info", msg: "a password", note: "kept" });
  });

  it("takes them out of errors too, and keeps what these say", async () => {
    const { text, lines } = await logged(`
      log.error(new Error("refused: password=" + SECRET));
      log.error({ err: new Error("broken: password=" + SECRET) }, "an error as a field");`);
    expect(text).not.toContain(SECRET);
    expect(lines).toHaveLength(2);
    expect(JSON.stringify(lines[0])).toContain("refused");
  });

  it("says when, how grave and what, a line for each, and nothing below its level", async () => {
    const { lines } = await logged(
      `log.debug({}, "no"); log.info({ incident_id: "INC-1" }, "no"); log.warn({ n: 1 }, "yes\\nand more");`,
      "warn",
    );
    expect(lines).toEqual([{ level: "warn", time: expect.any(String), n: 1, msg: "yes\nand more" }]);
    expect(new Date(lines[0]?.time as string).getTime()).not.toBeNaN();
    expect((await logged(`log.error({}, "no");`, "silent")).lines).toEqual([]);
  });
});
