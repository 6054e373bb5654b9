import { z } from "zod";
import { example, secret } from "../../../lib/setting.ts";
import { forbiddenPort } from "./forbidden-ports.ts";

// The operating system ends a string at a NUL: the rest would be lost silently.
const text = z.string().refine((value) => !value.includes("\0"), "must not contain NUL");
const milliseconds = z.number().int().min(0).max(600_000);
const accountId = z.number().int().min(0).max(4_294_967_294);

const OURS = ["AWOOOI_PROCESS", "AWOOOI_INSTALLATION", "AWOOOI_EXECUTION_ID"];

const environment = z
  .record(text.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "is not a valid name of an environment variable"), text)
  .refine((env) => !OURS.some((name) => name in env), `${OURS.join(", ")} are set by AWOOOI`);

const probe = z.strictObject({
  url: example(
    z
      .url({ protocol: /^https?$/ })
      .superRefine((url, issue) => {
        const port = forbiddenPort(url);
        if (port === undefined) return;
        const message = `has port ${port}, which HTTP clients refuse because it belongs to another protocol: use another one`;
        issue.addIssue({ code: "custom", message });
      })
      .refine((url) => !/^[a-z]+:\/\/[^/?#]*@/i.test(url), "must not contain a user name or password"),
    "http://127.0.0.1:8080/healthz",
  ),
  timeout_ms: milliseconds.min(1).default(2_000),
  expect_status: z.number().int().min(100).max(599).default(200),
});
export type ProbeConfig = z.infer<typeof probe>;

// Defaults of Kubernetes liveness probes: periodSeconds 10, failureThreshold 3.
const watch = z.strictObject({
  enabled: z.boolean().default(true),
  interval_ms: milliseconds
    .min(100)
    .default(10_000)
    .describe(
      "between two checks, at least a second; checks the probe, or without one whether the process lives; as Kubernetes' periodSeconds",
    ),
  failures: z
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(3)
    .describe(
      "failed checks in a row, as Kubernetes' failureThreshold; raise it for a process that takes longer than 20 s to start",
    ),
  severity: z
    .enum(["critical", "high", "warning", "low"])
    .optional()
    .describe("critical, high, warning or low; default: the decision sets the severity"),
});

/** A process that AWOOOI supervises. */
export const processConfig = z.strictObject({
  name: example(
    z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,63}$/, "must be 1 to 63 letters, digits, dots, underscores or hyphens"),
    "shop",
  ),
  argv: example(
    secret(z.array(text).min(1), "command").refine(
      ([program]) => program !== "",
      "the program must not be empty",
    ),
    ["node", "shop.js"],
  ).describe(
    "program and arguments; no shell; searched in the server's PATH without the folders that npm adds: this is the machine's own node",
  ),
  cwd: example(text.min(1).optional(), "/srv/shop"),
  env: example(secret(environment, "environment").optional(), { PORT: "8080" }).describe(
    "added to PATH, HOME, LANG and TZ; no other variable of the server is passed on",
  ),
  probe: probe.optional(),
  autostart: z
    .boolean()
    .default(true)
    .describe("the server starts it at its own start, unless it runs or a person stopped it"),
  watch: watch
    .prefault({})
    .describe(
      "after failed checks the server raises ServiceUnreachable, and ends it when the checks succeed again; if the process has ended, it is raised at once",
    ),
  stop_timeout_ms: milliseconds.default(5_000).describe("between SIGTERM and SIGKILL"),
  settle_ms: milliseconds.default(300).describe("a start counts if the process stays up for this long"),
  uid: example(accountId.optional(), 1000).describe(
    "for a server that runs as root and a process that should not",
  ),
  gid: example(accountId.optional(), 1000),
});
export type ProcessConfig = z.infer<typeof processConfig>;

/** Schema of the configuration's section `processes`. */
export const processesConfig = z
  .array(processConfig)
  .default([])
  .refine(
    (list) => new Set(list.map((one) => one.name)).size === list.length,
    "two processes have the same name",
  )
  .describe(
    'supervised processes of this machine: the server starts and watches them, and restarts one when that is approved; a reload starts processes that it adds; changed settings take effect at the process\'s next start, and a process that is removed is left running; `awoooi processes` lists, starts and stops them; a program must stay in the foreground (nginx -g "daemon off;"): one that puts itself into the background is not started again; its output is in `processes/NAME.log` in the data directory, cut past 10 MiB',
  );
