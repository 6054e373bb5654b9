import { z } from "zod";
import { secret } from "../../../lib/secret-setting.ts";
import { forbiddenPort } from "./forbidden-ports.ts";

// The operating system ends a string at a NUL: the rest would be lost silently.
const text = z.string().refine((value) => !value.includes("\0"), "must not contain NUL");
const milliseconds = z.number().int().min(0).max(600_000);
const accountId = z.number().int().min(0).max(4_294_967_294);

const OURS = ["AWOOOI_PROCESS", "AWOOOI_INSTALLATION", "AWOOOI_EXECUTION_ID"];

const environment = z
  .record(text.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "is not a name of an environment variable"), text)
  .refine((env) => !OURS.some((name) => name in env), `${OURS.join(", ")} are set by AWOOOI`);

const probe = z.strictObject({
  url: z
    .url({ protocol: /^https?$/ })
    .superRefine((url, issue) => {
      const port = forbiddenPort(url);
      if (port === undefined) return;
      const message = `has port ${port}, which no HTTP client asks, for it belongs to another protocol: take another one`;
      issue.addIssue({ code: "custom", message });
    })
    .refine((url) => !/^[a-z]+:\/\/[^/?#]*@/i.test(url), "must not contain a user name or password"),
  timeout_ms: milliseconds.min(1).default(2_000),
  expect_status: z.number().int().min(100).max(599).default(200),
});
export type ProbeConfig = z.infer<typeof probe>;

// Defaults of Kubernetes liveness probes: periodSeconds 10, failureThreshold 3.
const watch = z.strictObject({
  enabled: z.boolean().default(true),
  interval_ms: milliseconds.min(100).default(10_000),
  /** Consecutive failed probes before the alert; a process that has ended raises it at once. */
  failures: z.number().int().min(1).max(1_000).default(3),
  /** Severity of its alert; absent: the decision sets it. */
  severity: z.enum(["critical", "high", "warning", "low"]).optional(),
});

/** A process that AWOOOI supervises. */
export const processConfig = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,63}$/, "must be 1 to 63 letters, digits, dots, underscores or hyphens"),
  /** Program and arguments; run without a shell. */
  argv: secret(z.array(text).min(1), "command").refine(
    ([program]) => program !== "",
    "the program must not be empty",
  ),
  cwd: text.min(1).optional(),
  /** Added to PATH (without npm's folders), HOME, LANG and TZ; nothing else of the server's environment is passed on. */
  env: secret(environment, "environment").optional(),
  probe: probe.optional(),
  /** Whether the server starts it at its own start, unless it is running. */
  autostart: z.boolean().default(true),
  /** Checks its probe, or without one whether it lives, and raises an alert on failure. */
  watch: watch.prefault({}),
  /** Time to end after SIGTERM; then SIGKILL. */
  stop_timeout_ms: milliseconds.default(5_000),
  /** Time it must stay alive for its start to count as successful. */
  settle_ms: milliseconds.default(300),
  uid: accountId.optional(),
  gid: accountId.optional(),
});
export type ProcessConfig = z.infer<typeof processConfig>;

/** Schema of the configuration's section `processes`. */
export const processesConfig = z
  .array(processConfig)
  .default([])
  .refine(
    (list) => new Set(list.map((one) => one.name)).size === list.length,
    "two processes have the same name",
  );
