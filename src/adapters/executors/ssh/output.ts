/**
 * Output of a command within `limit` bytes: its beginning and its end. What is between them is counted and let
 * go, so that any amount of it needs the same memory.
 */
export class Output {
  readonly #half: number;
  readonly #head: Buffer[] = [];
  #tail: Buffer[] = [];
  #headBytes = 0;
  #tailBytes = 0;
  /** All that came. */
  total = 0;

  constructor(limit: number) {
    this.#half = Math.floor(limit / 2);
  }

  add(chunk: Buffer): void {
    this.total += chunk.length;
    const room = this.#half - this.#headBytes;
    if (room > 0) {
      const part = chunk.subarray(0, room);
      this.#head.push(part);
      this.#headBytes += part.length;
    }
    const rest = chunk.subarray(Math.max(room, 0));
    if (rest.length === 0) return;
    this.#tail.push(rest);
    this.#tailBytes += rest.length;
    // Joined now and then only: copying the end for each chunk would cost its square.
    if (this.#tailBytes > 4 * this.#half) this.#shorten();
  }

  #shorten(): void {
    const joined = Buffer.concat(this.#tail);
    // A copy: a part of it would keep the whole alive.
    const end = Buffer.from(joined.subarray(Math.max(joined.length - this.#half, 0)));
    this.#tail = [end];
    this.#tailBytes = end.length;
  }

  /** Bytes that were let go. */
  get dropped(): number {
    return Math.max(this.total - this.#headBytes - this.#half, 0);
  }

  text(): string {
    this.#shorten();
    const head = Buffer.concat(this.#head);
    const tail = Buffer.concat(this.#tail);
    if (this.dropped === 0) return Buffer.concat([head, tail]).toString("utf8");
    return `${head.toString("utf8")}\n… (${this.dropped} bytes left out) …\n${tail.toString("utf8")}`;
  }
}
