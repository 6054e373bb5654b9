import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { SEED } from "../support/random.ts";
import type { Server } from "../support/server.ts";
import { Fuzz } from "./run.ts";
import { SENDERS } from "./senders.ts";
import { verdict } from "./verdict.ts";

// A longer run: npm run fuzz.
const REQUESTS = 3_000;

let folder: string;
let server: Server | undefined;

beforeEach(async () => {
  folder = await temporaryFolder("fuzz");
});
afterEach(async () => {
  await server?.kill();
  server = undefined;
  await clearFolder(folder);
});

describe(`requests that nobody should send (AWOOOI_TEST_SEED=${SEED})`, () => {
  it(`are answered as specified, at every route and as of every source, ${REQUESTS} of them, and do no harm`, async () => {
    const started = await Fuzz.start(folder, SEED);
    server = started.server;
    const figures = await started.fuzz.run(REQUESTS);
    const missed = started.fuzz.routes.filter(({ method, url }) => !figures.routes[`${method} ${url}`]);
    expect(missed).toEqual([]);
    expect(SENDERS.filter(({ name }) => !figures.routes[name])).toEqual([]);
    expect(await verdict(server, figures)).toEqual([]);
  });
});
