import { z } from "zod";
import { anyText, anyValue, optionalText, time } from "../../../contract/lenient.ts";
import {
  type Decoded,
  namesSubject,
  type Source,
  type SourceAlert,
  type SourceKind,
} from "../../../intake/index.ts";
import { hashOfTexts } from "../../../lib/canonical-json.ts";
import { expiryNotice } from "./expiry.ts";
import { uptimeKumaCall } from "./wire.ts";

const [DOWN, UP, PENDING, MAINTENANCE] = ["0", "1", "2", "3"];

const call = z.object({
  heartbeat: z.object({ status: anyText, time: optionalText, msg: anyText, monitorID: anyText }).nullish(),
  monitor: z
    .object({
      id: anyText,
      name: anyText,
      pathName: anyText,
      description: anyText,
      type: anyText,
      url: anyText,
      hostname: anyText,
      port: anyText,
      tags: anyValue,
    })
    .nullish(),
  msg: anyText,
});
type Call = z.infer<typeof call>;
type Monitor = NonNullable<Call["monitor"]>;

const tag = z.object({ name: z.string().min(1), value: anyText });
const NONE: SourceAlert = {
  status: "firing",
  labels: {},
  annotations: {},
  starts_at: null,
  ends_at: null,
  source_fingerprint: null,
  generator_url: null,
};

/** Returns the monitor's tags as labels: `severity`, `namespace` and `deployment` have their usual meaning. */
function tagsOf(tags: unknown): Record<string, string> {
  const list = Array.isArray(tags) ? tags : [];
  const named = list.flatMap((one): [string, string][] => {
    const { data } = tag.safeParse(one);
    return data === undefined ? [] : [[anyText.parse(data.name) ?? "", data.value ?? "true"]];
  });
  return Object.fromEntries(named);
}

const given = (said: Record<string, string | null>) =>
  Object.fromEntries(Object.entries(said).filter(([, text]) => text !== null)) as Record<string, string>;

/** Returns the monitored address. A monitor without a URL still has the form's placeholder, `https://`. */
function addressOf({ url, hostname, port }: Monitor): string | null {
  if (url !== null && url !== "https://" && url !== "http://") return url;
  return hostname === null || port === null ? hostname : `${hostname}:${port}`;
}

function monitorAlert(fields: Call, monitor: Monitor, status: SourceAlert["status"]): SourceAlert {
  const { heartbeat, msg } = fields;
  const id = monitor.id ?? heartbeat?.monitorID ?? "";
  const tags = tagsOf(monitor.tags);
  const name = monitor.name ?? addressOf(monitor) ?? `monitor ${id}`;
  const labels = { monitor: name, monitor_id: id, monitor_type: monitor.type, address: addressOf(monitor) };
  const summary = heartbeat?.msg ?? msg;
  // Uptime Kuma writes UTC without an offset.
  const at = time.parse(`${heartbeat?.time?.replace(" ", "T")}Z`);
  return {
    ...NONE,
    status,
    labels: given({ alertname: "MonitorDown", ...tags, ...labels }),
    annotations: given({ summary, description: monitor.description, path: monitor.pathName }),
    ends_at: status === "resolved" ? at : null,
    // Includes the name, because every Uptime Kuma numbers its monitors from 1.
    source_fingerprint: hashOfTexts([id, name]).slice(0, 16),
    ...(namesSubject(tags, "") ? {} : { target_resource: name }),
  };
}

const alerts = (...found: SourceAlert[]): Decoded => ({
  ok: true,
  alerts: found,
  truncated: 0,
  rejected: [],
});

/** Decodes a call without a heartbeat: the "Test" button, or a notice of expiry. */
function decodeNotice(msg: string | null): Decoded {
  if (msg === null) return { ok: false, reason: "not a webhook of Uptime Kuma: there is no `heartbeat`" };
  if (/\bTesting$/.test(msg)) return alerts();
  const notice = expiryNotice(msg);
  if (notice !== undefined) return alerts({ ...NONE, ...notice });
  return { ok: false, reason: "a notice that is neither a heartbeat, a test nor an expiry" };
}

function decode(body: unknown): Decoded {
  const { data: fields } = call.safeParse(body);
  if (fields === undefined) return { ok: false, reason: "not a webhook of Uptime Kuma" };
  const { heartbeat, monitor, msg } = fields;
  if (heartbeat == null) return decodeNotice(msg);
  const known = monitor ?? NO_MONITOR;
  if (known.id === null && heartbeat.monitorID === null && known.name === null)
    return { ok: false, reason: "the heartbeat does not name its monitor" };
  switch (heartbeat.status) {
    case DOWN:
      return alerts(monitorAlert(fields, known, "firing"));
    case UP:
      return alerts(monitorAlert(fields, known, "resolved"));
    // Not down yet, or down for maintenance.
    case PENDING:
    case MAINTENANCE:
      return alerts();
    default:
      return { ok: false, reason: "the status of the heartbeat is none of 0, 1, 2, 3" };
  }
}

const NO_MONITOR = call.parse({ monitor: {} }).monitor as Monitor;

/** Uptime Kuma's webhook, with the content type application/json. */
export const uptimeKuma = {
  id: "uptime-kuma",
  name: "Uptime Kuma",
  keywords: ["kuma", "uptime"],
  endpoints: [
    {
      path: "/api/v1/webhooks/uptime-kuma",
      summary: "Uptime Kuma's webhook",
      body: uptimeKumaCall,
    },
  ],
  credentials: "sender",
  documentation: "sources.md#uptime-kuma",
  create: (): Source => ({ id: "uptime-kuma", sender: ({ network }) => network, decode }),
} as const satisfies SourceKind;
