import type { Path, ReceiverConfig, Remark } from "./read.ts";

export type Webhook = { name: string; url: string };

/** The channel for notices of a receiver that has no other channel here, so that they are not lost. */
const TERMINAL = "log";

const HERE = "AWOOOI has no such channel yet: use a webhook instead";

/** Returns the URL if it may be printed; null when it may hold a credential. */
function openUrl(url: string): string | null {
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) return null;
  if (parsed.username !== "" || parsed.password !== "" || parsed.search !== "") return null;
  // A long path segment, or a shorter one with digits, is likely a token.
  const telling = (part: string) => part.length >= 20 || (part.length >= 8 && /\d/.test(part));
  return parsed.pathname.split("/").some(telling) ? null : url;
}

function nameFor(receiver: string, taken: ReadonlySet<string>): string {
  const base = receiver.replace(/[^\w.-]+/g, "-").slice(0, 60) || "receiver";
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? base : `${base}-${count}`;
    if (!taken.has(name)) return name;
  }
}

function webhookUrl(hook: { url?: unknown; url_file?: unknown }, name: string, at: Path, remark: Remark) {
  const placeholder = `https://set-me.invalid/${name}`;
  const set = `set the url of the webhook ${name} in notification.webhooks`;
  if (typeof hook.url !== "string") {
    const why = hook.url_file === undefined ? "it has no URL" : "its URL is in a file";
    remark([...at, "url_file"], `${why}: ${set}`);
    return placeholder;
  }
  const url = openUrl(hook.url);
  if (url === null) remark([...at, "url"], `its URL may hold a secret, and is not printed: ${set}`);
  return url ?? placeholder;
}

/** Converts the webhooks of a receiver; leaves out those that call AWOOOI itself. */
function webhooksOf(receiver: ReceiverConfig, at: Path, taken: Set<string>, remark: Remark): Webhook[] {
  return (receiver.webhook_configs ?? []).flatMap((hook, index) => {
    const place = [...at, "webhook_configs", index];
    if (/\/api\/v1\/webhooks\//.test(hook.url ?? "")) {
      remark([...place, "url"], "this is AWOOOI itself: left out");
      return [];
    }
    const name = nameFor(receiver.name, taken);
    taken.add(name);
    const url = webhookUrl(hook, name, place, remark);
    remark(place, "AWOOOI posts its own card there, as JSON, not Alertmanager's body");
    if (hook.http_config !== undefined)
      remark([...place, "http_config"], "not converted: AWOOOI signs what it posts, with `secret`");
    if (hook.send_resolved === false) remark([...place, "send_resolved"], "AWOOOI also notifies on resolve");
    for (const key of ["max_alerts", "timeout"])
      if (hook[key] !== undefined) remark([...place, key], "AWOOOI has no such setting");
    return [{ name, url }];
  });
}

/** Converts receivers into the channels of each, by its name, and the webhooks to configure. */
export function convertReceivers(
  receivers: readonly ReceiverConfig[],
  remark: Remark,
): { webhooks: Webhook[]; channels: Map<string, string[]> } {
  const taken = new Set([TERMINAL, "webhook"]);
  const webhooks: Webhook[] = [];
  const channels = new Map<string, string[]>();
  receivers.forEach((receiver, index) => {
    const at = ["receivers", index];
    const own = webhooksOf(receiver, at, taken, remark);
    webhooks.push(...own);
    let others = 0;
    for (const [key, list] of Object.entries(receiver)) {
      if (!key.endsWith("_configs")) {
        if (key !== "name") remark([...at, key], "unknown setting");
      } else if (Array.isArray(list)) {
        others += list.length;
        if (key !== "webhook_configs") for (const place of list.keys()) remark([...at, key, place], HERE);
      }
    }
    // In Alertmanager, a receiver without integrations notifies no one.
    const silent = others === 0;
    if (!silent && own.length === 0)
      remark(at, `AWOOOI has none of its channels: its alerts go to the server's terminal (${TERMINAL})`);
    channels.set(receiver.name, silent ? [] : own.length > 0 ? own.map((one) => one.name) : [TERMINAL]);
  });
  return { webhooks, channels };
}
