/** Things as someone would add them: each the whole of its file. */
export const SHOP_BELL = `
import { z } from "zod";
import { decodeEach, genericAlert, decodeInSteps, type Source, type SourceKind } from "../../../intake/index.ts";
import { secret } from "../../../lib/setting.ts";

const ring = z.object({ bell: z.string(), rings: z.enum(["on", "off"]) });
const settings = z.strictObject({ secrets: secret(z.array(z.string().min(8))).default([]) });
type Settings = z.output<typeof settings>;
const form = { header: "Shop-Bell-Signature", prefix: "", what: "the shop's bell", settings: "shop_bell.secrets" };

export const shopBell = {
  id: "shop-bell",
  name: "Shop bell",
  keywords: ["bell"],
  endpoints: [{ path: "/api/v1/webhooks/shop-bell", aliases: ["/ring"], summary: "The bell of the shop", body: ring }],
  credentials: { header: form.header, description: "The HMAC of the body." },
  documentation: "sources.md#shop-bell",
  settings: {
    path: "shop_bell",
    schema: settings.prefault({}),
    environment: { SHOP_BELL_SECRET: "secrets[]" },
  },
  create: ({ secrets }: Settings): Source => ({
    id: "shop-bell",
    sender: ({ signature }) => signature({ form, secrets }),
    decode: decodeInSteps((body) =>
      decodeEach(body, (raw, position) => {
        const { data } = ring.safeParse(raw);
        if (data === undefined) return "is no ring";
        const none = { severity: null, source: null, target_resource: null, namespace: null, message: null };
        const status = data.rings === "on" ? "firing" : "resolved";
        const own = genericAlert({ ...none, status, name: data.bell, labels: {}, annotations: {} }, position);
        return own ?? "has no name";
      }),
    ),
  }),
} as const satisfies SourceKind<Settings>;
`;

/** A notifier that writes lines to a file. */
export const FILE_NOTIFIER = `
import { appendFile } from "node:fs/promises";
import { z } from "zod";
import type { Notifier } from "../../../notification/index.ts";

const settings = { file: z.string().optional() };
type Section = { file?: string | undefined };

export const file = {
  id: "file",
  settings,
  channels: (section: Section) => (section.file === undefined ? [] : [{ name: "file", path: null }]),
  create: (section: Section): Notifier[] => {
    const path = section.file;
    if (path === undefined) return [];
    const send = async ({ title }: { title: string }) => {
      await appendFile(path, \`\${title}\\n\`);
      return { ok: true as const };
    };
    return [{ id: "file", send }];
  },
};
`;

/** An operation that no executor offers yet. */
export const PAUSE_ROLLOUT = `
import { z } from "zod";
import { kubectl } from "../manual-command.ts";
import { CHANGE, defineOperation, noParameters } from "../kind.ts";
import { workload } from "../names.ts";
import { FILES } from "../parse/kubectl-flags.ts";
import { objectTarget } from "../parse/kubectl-objects.ts";
import { targetInWords } from "../words.ts";

export const pauseRollout = defineOperation({
  schema: z.strictObject({
    kind: z.literal("kubernetes.rollout_pause"),
    target: workload,
    parameters: noParameters,
  }),
  traits: { ...CHANGE, tool: "kubernetes_rollout_pause", verify: ["alert_silent"] },
  title: ({ target }) => \`Pause the rollout of \${targetInWords(target)}\`,
  command: ({ target }) => kubectl(["rollout", "pause"], target),
  names: { PAUSE_ROLLOUT: ["deployment"] },
  kubectl: {
    "rollout pause": {
      flags: "",
      otherFlags: FILES,
      reason: "pauses a rollout",
      read: (command) => ({ target: objectTarget(command), parameters: {} }),
    },
  },
});
`;

/** Asks the door of the operations about one. */
export const ASK_OPERATION = `
import { inWords, manualCommand, operation, parseOperation, planHash, traitsOf } from "./src/operation/index.ts";
const target = { kind: "deployment", name: "api", namespace: "shop" };
const one = operation.parse({ kind: "kubernetes.rollout_pause", target, parameters: {} });
const named = parseOperation("PAUSE_ROLLOUT", { target }).operation?.kind;
console.log(JSON.stringify([inWords(one), manualCommand(one), traitsOf(one).risk, typeof planHash, named]));
`;

/** A setting that a reload can change. */
export const SWEEP_JITTER = 'jitter: seconds("500ms").describe("by how much two rounds differ"),';

/** A setting that a reload cannot change. */
export const SWEEP_LANES = 'lanes: needsRestart(count(1)).describe("rounds at once"),';
