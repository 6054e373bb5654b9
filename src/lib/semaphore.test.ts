import { expect, it } from "vitest";
import { Semaphore } from "./semaphore.ts";

it("are given in order, back once, and to nobody else who waits too long or behind too many", async () => {
  const places = new Semaphore(2, 2);
  const [one, two] = [await places.take(0), await places.take(0)];
  expect([typeof one, typeof two]).toEqual(["function", "function"]);
  expect(await places.take(1)).toBeNull();
  const order: number[] = [];
  const waiting = [1, 2].map(async (n) => {
    const give = await places.take(60_000);
    order.push(n);
    return give;
  });
  expect(await places.take(60_000)).toBeNull();
  one?.();
  one?.();
  const first = await waiting[0];
  expect(order).toEqual([1]);
  two?.();
  const second = await waiting[1];
  expect(order).toEqual([1, 2]);
  first?.();
  second?.();
  const again = [await places.take(0), await places.take(0)];
  expect(again.every((give) => give !== null)).toBe(true);
  expect(await places.take(0)).toBeNull();
});
