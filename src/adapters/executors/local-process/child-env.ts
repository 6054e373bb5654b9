import type { ProcessConfig } from "./config.ts";

// No setting of ours is read here: these four are handed on, and nothing else, secrets least of all.
const HANDED_ON = ["PATH", "HOME", "LANG", "TZ"];

/** The whole environment of a supervised process. */
export function childEnv(config: ProcessConfig, execution_id: string | null): Record<string, string> {
  const handedOn = HANDED_ON.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(handedOn),
    ...config.env,
    AWOOOI_PROCESS: config.name,
    ...(execution_id === null ? {} : { AWOOOI_EXECUTION_ID: execution_id }),
  };
}
