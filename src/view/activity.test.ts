import { describe, expect, it } from "vitest";
import type { ApprovalKey } from "../approval/index.ts";
import type { PolicyVerdict } from "../contract/decision.ts";
import { activityOf } from "./activity.ts";

const BEGUN = new Date("2026-07-01T12:00:00Z");
const active = {
  status: "investigating",
  merged_into: null,
  notification_type: "TYPE-3",
  flapping: false,
  silenced: false,
} as const;
const decided = (outcome: PolicyVerdict["outcome"]) => ({
  state: "ready" as const,
  policy: { outcome, rule: "a rule", reason: "for a reason" },
});
const plan = (status: ApprovalKey["status"], begun_at: Date | null = null, approval_id = "APR-1") => ({
  approval_id,
  status,
  begun_at,
});
const running = (status: "pending" | "running" | "verifying") => new Map([["APR-1", status]]);
const none = new Map();

describe("what is going on with an incident", () => {
  it.each([
    ["preparing", [plan("preparing")], none],
    ["waiting_for_signature", [plan("pending")], none],
    ["about_to_act", [plan("approved")], none],
    ["about_to_act", [plan("approved", BEGUN)], running("pending")],
    ["acting", [plan("approved", BEGUN)], running("running")],
    ["verifying", [plan("approved", BEGUN)], running("verifying")],
    ["needs_a_person", [plan("approved", BEGUN)], none],
    ["needs_a_person", [plan("rejected")], none],
    ["needs_a_person", [plan("expired")], none],
    ["needs_a_person", [], none],
    ["verifying", [plan("superseded", null, "APR-2"), plan("approved", BEGUN)], running("verifying")],
  ] as const)("is %s by its plans %j", (activity, plans, executions) => {
    expect(activityOf(active, decided("ask"), plans, executions)).toBe(activity);
  });

  it("is with a person where only one can repair, and nobody's where nothing is to be done", () => {
    expect(activityOf(active, decided("manual"), [], none)).toBe("needs_a_person");
    expect(activityOf(active, decided("none"), [], none)).toBe("under_watch");
    const done = { ...decided("ask"), state: "completed" as const };
    expect(activityOf(active, done, [plan("approved", BEGUN)], none)).toBe("under_watch");
    const failed = { ...decided("auto"), state: "error" as const };
    expect(activityOf(active, failed, [plan("approved", BEGUN)], none)).toBe("needs_a_person");
    for (const kept of [{ flapping: true }, { silenced: true }])
      expect(activityOf({ ...active, ...kept }, failed, [], none)).toBe("under_watch");
    expect(activityOf(active, { ...decided("ask"), state: "analyzing" }, [], none)).toBe("preparing");
    expect(activityOf({ ...active, merged_into: "INC-1" }, decided("ask"), [], none)).toBe("with_main");
    expect(activityOf({ ...active, notification_type: "TYPE-1" }, undefined, [], none)).toBe("recorded");
  });

  it("is nothing once it is over, unless what was done is being taken back", () => {
    const over = { ...active, status: "resolved" } as const;
    expect(activityOf(over, decided("ask"), [plan("approved", BEGUN)], none)).toBeNull();
    expect(activityOf(over, decided("ask"), [plan("pending")], none)).toBe("waiting_for_signature");
  });
});
