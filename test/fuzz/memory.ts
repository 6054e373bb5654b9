import type { Draw } from "./random.ts";

const ID = /^[A-Z]{3}-[A-Za-z0-9-]{1,60}$/;
const KEEP = 300;

/** What the server has shown so far, so that requests are about things that exist. */
export class Shown {
  readonly #draw: Draw;
  /** Objects that carry an id. */
  #objects: Record<string, unknown>[] = [];
  #ids: string[] = [];
  /** Ids that must not be drawn: revoking our own tokens would end the conversation. */
  readonly #ours = new Set<string>();

  constructor(draw: Draw) {
    this.#draw = draw;
  }

  keepOut(...ids: string[]): void {
    for (const id of ids) this.#ours.add(id);
  }

  /** Looks through an answer. */
  take(value: unknown): void {
    if (value === null || typeof value !== "object") return;
    const object = value as Record<string, unknown>;
    const ids = Object.values(object).filter(
      (one): one is string => typeof one === "string" && ID.test(one) && !this.#ours.has(one),
    );
    if (
      ids.length > 0 &&
      !Object.values(object).some((one) => typeof one === "string" && this.#ours.has(one))
    ) {
      this.#ids = [...ids.filter((id) => !this.#ids.includes(id)), ...this.#ids].slice(0, KEEP);
      this.#objects = [object, ...this.#objects].slice(0, KEEP);
    }
    for (const inner of Object.values(object)) this.take(inner);
  }

  id(): string {
    return this.#ids.length === 0 ? "INC-20260101-AAAAAA" : this.#draw.of(this.#ids);
  }

  /** What was called so in an object that has this id. */
  about(id: string): (name: string) => unknown {
    const object = this.#objects.find((one) => Object.values(one).includes(id));
    return (name) => (object !== undefined && Object.hasOwn(object, name) ? object[name] : undefined);
  }
}
