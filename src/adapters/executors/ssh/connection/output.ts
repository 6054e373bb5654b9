/**
 * Keeps the beginning and the end of a command's output within `limit` bytes. What is between them is counted and
 * dropped, so that memory does not grow with the output.
 */
export class Output {
  readonly #half: number;
  readonly #head: Buffer[] = [];
  #tail: Buffer[] = [];
  #headBytes = 0;
  #tailBytes = 0;
  /** Bytes received. */
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
    // Joined only now and then: copying the tail for each chunk would take quadratic time.
    if (this.#tailBytes > 4 * this.#half) this.#shorten();
  }

  #shorten(): void {
    const joined = Buffer.concat(this.#tail);
    // A copy: a subarray would keep the whole buffer in memory.
    const end = Buffer.from(joined.subarray(Math.max(joined.length - this.#half, 0)));
    this.#tail = [end];
    this.#tailBytes = end.length;
  }

  /** Bytes that were dropped. */
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
