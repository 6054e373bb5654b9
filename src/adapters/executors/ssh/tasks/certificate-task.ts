import type { Operation } from "../../../../operation/index.ts";
import { type Argv, checkPermission, type Host } from "../connection/host.ts";
import { type Certificate, certificates, daysLeft } from "../facts/certificates.ts";
import { onHost, type TargetHealth, type Task } from "./task.ts";

type Renew = Extract<Operation, { kind: "host.renew_certificate" }>;

// certbot and most other clients renew a certificate from 30 days before its expiry.
const DUE_DAYS = 30;

const inWords = (one: Certificate, now: Date) => {
  const days = daysLeft(one, now);
  return days < 0 ? `expired ${-days} days ago` : `valid for ${days} days`;
};

const fingerprints = (list: readonly Certificate[]) => list.map((one) => one.fingerprint).sort();

/** Judges the host healthy when every certificate is valid for at least `days` days. Pure. */
function certificatesHealth(list: readonly Certificate[], days: number, now: Date): TargetHealth {
  if (list.length === 0)
    return { healthy: null, facts: [{ name: "certificates", passed: false, message: "none was found" }] };
  const facts = list.map((one) => ({
    name: `certificate ${one.subject}`,
    passed: daysLeft(one, now) >= days,
    message: inWords(one, now),
  }));
  return { healthy: facts.every((fact) => fact.passed), facts };
}

/** The task that runs `certbot renew`, or the configured `renew_certificate` command. */
export function certificateTask(host: Host, operation: Renew): Task {
  const argv = host.config.renew_certificate as unknown as Argv;
  return {
    undo: "a renewed certificate stays; the previous one is in the renewal tool's archive",
    resolve: async () => onHost(host, operation),
    async dryRun() {
      const [permission, found] = await Promise.all([checkPermission(host, argv), certificates(host)]);
      const name = "certificates due";
      if (!found.ok) return { checks: [permission, { name, passed: false, message: found.message }] };
      const now = new Date();
      const due = found.value.filter((one) => daysLeft(one, now) < DUE_DAYS);
      const all = found.value.map((one) => `${one.subject} ${inWords(one, now)}`).join("; ");
      const message = due.length === 0 ? `none: ${all || "none was found"}` : all;
      const diff = due.map((one) => `~ ${one.subject}: ${inWords(one, now)}`).join("\n");
      return {
        checks: [permission, { name, passed: due.length > 0, message }],
        diff: diff === "" ? null : diff,
      };
    },
    async snapshot() {
      const found = await certificates(host);
      if (!found.ok) throw new Error(found.message);
      return { certificates: found.value };
    },
    act: (signal) => host.change(host.privileged(argv), signal),
    async effect(before) {
      const was = Array.isArray(before.certificates) ? (before.certificates as Certificate[]) : undefined;
      const found = await certificates(host);
      if (was === undefined || !found.ok) return "cannot_tell";
      const same = fingerprints(was).join() === fingerprints(found.value).join();
      return same ? "not_done" : "done";
    },
    async observe(now) {
      const found = await certificates(host);
      if (found.ok) return certificatesHealth(found.value, host.terms.certificate_days, now);
      return { healthy: null, facts: [{ name: "certificates", passed: false, message: found.message }] };
    },
  };
}
