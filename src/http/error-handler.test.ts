import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDatabase, type TestDatabase } from "../../test/support/database.ts";
import { receipts } from "../db/schema.ts";
import { listIncidents } from "../incident/index.ts";
import type { Actor } from "../lib/actor.ts";
import { messageOf } from "../lib/error.ts";
import { errorHandler, toAwoooiError } from "./error-handler.ts";

let database: TestDatabase;
const ada: Actor = { kind: "person", person_id: "PER-1", name: "ada", role: "admin", token_id: "TOK-1" };

beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

const thrownBy = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => {
      throw new Error("nothing was thrown");
    },
    (error: unknown) => error,
  );

describe("an error of the database", () => {
  it.each([
    { since: "0000-01-01T00:00:00Z" },
    { cursor: Buffer.from("+020000-01-01T00:00:00.000Z INC-1").toString("base64url") },
    { cursor: Buffer.from("-000001-01-01T00:00:00.000Z INC-1").toString("base64url") },
  ])("that is the caller's own input is not ours: %j", async (query) => {
    const error = await thrownBy(listIncidents(database.ctx(ada), { limit: 1, ...query }));
    expect(toAwoooiError(error)).toMatchObject({ code: "invalid" });
  });

  it("shows nobody, the log included, the parameters of its query", async () => {
    const row = {
      source: "alertmanager",
      sender: "127.0.0.1",
      body: Buffer.from("hunter2-S3cr3t"),
      received_at: new Date(),
      state: "received" as const,
      error: "no\0text",
    };
    const error = await thrownBy(database.db.insert(receipts).values(row));
    expect((error as Error).message).toContain("hunter2-S3cr3t");
    expect(messageOf(error)).toContain("invalid byte sequence");
    const told: unknown[] = [];
    const log = { debug() {}, info() {}, warn() {}, error: (...line: unknown[]) => void told.push(line) };
    const reply = {
      header: () => reply,
      status: () => reply,
      type: () => reply,
      send: (body: unknown) => void told.push(body),
    };
    errorHandler(log)(error, { id: "REQ-1", method: "GET" } as never, reply as never);
    expect(told).toHaveLength(2);
    expect(JSON.stringify(told)).toContain("invalid byte sequence");
    expect(JSON.stringify(told)).not.toContain("hunter2");
  });
});
