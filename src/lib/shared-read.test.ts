import { expect, it } from "vitest";
import { shareConcurrentReads } from "./shared-read.ts";

/** A read whose every run is ended by the test. */
function held() {
  const runs: PromiseWithResolvers<number>[] = [];
  const read = shareConcurrentReads(() => {
    const run = Promise.withResolvers<number>();
    runs.push(run);
    return run.promise;
  });
  return { read, runs };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

it("gives whoever asks while a read runs the next one, which all of them share", async () => {
  const { read, runs } = held();
  const first = read();
  await turn();
  const [second, third] = [read(), read()];
  await turn();
  expect(runs).toHaveLength(1);
  runs[0]!.resolve(1);
  await turn();
  expect(runs).toHaveLength(2);
  runs[1]!.resolve(2);
  expect(await Promise.all([first, second, third])).toEqual([1, 2, 2]);
});

it("reads anew for each who asks when none runs", async () => {
  let reads = 0;
  const read = shareConcurrentReads(async () => ++reads);
  expect([await read(), await read()]).toEqual([1, 2]);
});

it("goes on after a read that fails", async () => {
  const { read, runs } = held();
  const first = read();
  await turn();
  const second = read();
  runs[0]!.reject(new Error("the file table is full"));
  await expect(first).rejects.toThrow("the file table is full");
  await turn();
  runs[1]!.resolve(2);
  expect(await second).toBe(2);
});
