import type { Operation } from "../../../../operation/index.ts";
import { type Argv, checkPermission, type Host } from "../connection/host.ts";
import { inState, unitState } from "../facts/units.ts";
import { onHost, type Task } from "./task.ts";
import { observeUnit } from "./unit-task.ts";

type Reload = Extract<Operation, { kind: "host.reload_nginx" }>;

const UNIT = "nginx.service";
const TEST: Argv = ["nginx", "-t"];
const RELOAD: Argv = ["systemctl", "reload", "--", UNIT];

/** The task that runs `nginx -t` and, if it passes, `systemctl reload`. */
export function nginxTask(host: Host, operation: Reload): Task {
  return {
    undo: "restore the previous configuration, and reload again",
    async resolve() {
      const state = await unitState(host, UNIT);
      if (!state.ok) return { result: "error", message: state.message };
      if (state.value.load !== "loaded")
        return { result: "miss", message: `there is no ${UNIT} on ${host.name}` };
      return onHost(host, operation);
    },
    async dryRun() {
      const [reload, test, syntax, state] = await Promise.all([
        checkPermission(host, RELOAD),
        checkPermission(host, TEST),
        host.look(host.privileged(TEST)),
        unitState(host, UNIT),
      ]);
      const checks = [
        reload,
        ...(test.passed ? [] : [test]),
        {
          name: "nginx -t",
          passed: syntax.ok,
          message: syntax.ok ? "the configuration is valid" : syntax.message,
        },
        { name: "present state", passed: state.ok, message: state.ok ? inState(state.value) : state.message },
      ];
      return { checks };
    },
    async snapshot() {
      const state = await unitState(host, UNIT);
      if (!state.ok) throw new Error(state.message);
      const { active, sub, since, invocation, main_pid, changed, reloaded, restarts } = state.value;
      return { active, sub, since, invocation, main_pid, changed, reloaded, restarts };
    },
    async act(signal) {
      const syntax = await host.look(host.privileged(TEST), { signal });
      // So far only the test was sent, which changes nothing.
      if (!syntax.ok)
        return { ok: false, error: `not reloaded, because nginx -t failed: ${syntax.message}`, sent: false };
      return host.change(host.privileged(RELOAD), signal);
    },
    async effect({ changed, reloaded }) {
      const state = await unitState(host, UNIT);
      if (!state.ok || changed === undefined) return "cannot_tell";
      return state.value.changed === changed && state.value.reloaded === reloaded ? "not_done" : "done";
    },
    observe: (_now, before) => observeUnit(host, UNIT, before),
  };
}
