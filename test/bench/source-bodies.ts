import { BEGAN, type Notice, type SourceFixture } from "../conformance/fixture.ts";
import { FIXTURES } from "../conformance/fixtures/index.ts";

/** What the other sources are compared with. */
export const BASELINE = "alertmanager";

export type Call = { body: Buffer; headers: Record<string, string> };
export type SourceLoad = { source: string; path: string; batch: number; calls: Call[] };

/** Every body says another beginning, where the source says one: a second apart, up to that of the fixture. */
const beginning = (n: number) => new Date(Date.parse(BEGAN) - n * 1_000).toISOString();

function load(source: string, fixture: SourceFixture, alerts: number, subjects: number, size: number) {
  const batch = fixture.batch === undefined ? 1 : size;
  const notice = (n: number): Notice => ({ subject: `svc-${n % subjects}`, status: "firing" });
  const calls = Array.from({ length: alerts / batch }, (_, n): Call => {
    const notices = Array.from({ length: batch }, (_, at) => notice(n * batch + at));
    const body = fixture.batch?.(notices) ?? fixture.body(notice(n).subject, "firing");
    const bytes = Buffer.from(JSON.stringify(body).replaceAll(BEGAN, beginning(n)));
    return { body: bytes, headers: fixture.headers?.(bytes) ?? {} };
  });
  const path = fixture.path.startsWith("/api/") ? fixture.path : `/api/v1/webhooks${fixture.path}`;
  return { source, path, batch, calls };
}

/**
 * The same storm as each source sends it: `alerts` of them about `subjects` things in turn, in its genuine bodies,
 * `size` in each where it sends several at once. Before all others Alertmanager's with one in each: for those
 * that send no more.
 */
export function sourceLoads(alerts: number, subjects: number, size: number): SourceLoad[] {
  const of = (source: string, most: number) =>
    load(source, FIXTURES[source]?.[0] as SourceFixture, alerts, subjects, most);
  return [of(BASELINE, 1), ...Object.keys(FIXTURES).map((source) => of(source, size))];
}
