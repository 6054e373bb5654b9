#!/usr/bin/env node
// Starts AWOOOI, quickly, with a Node that can run it: the one of the npm package `node` where this one is too old.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const WANTED = 24;

/** In a checkout the source, also where it was built before; what is published has only what was built. */
function entry() {
  const source = new URL("../src/main.ts", import.meta.url);
  return existsSync(source) ? source : new URL("../dist/main.js", import.meta.url);
}

function newerNode() {
  try {
    return createRequire(import.meta.url).resolve("node/bin/node");
  } catch {
    return undefined;
  }
}

/** Runs `node` in our place: its streams, signals and end are ours. */
function become(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
  const onTerminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      // A terminal gives Ctrl-C to us both; twice would look like impatience.
      if (signal !== "SIGINT" || !onTerminal) child.kill(signal);
    });
  }
  child.on("error", (error) => {
    console.error(`awoooi: ${node} cannot be run: ${error.message}`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

if (Number.parseInt(process.versions.node, 10) >= WANTED) {
  const { quickStart } = await import("./quick-start.js");
  quickStart();
  await import(entry().href);
} else {
  const node = newerNode();
  if (node === undefined) {
    console.error(
      `awoooi: Node ${WANTED} is needed, and this is ${process.version}. \`npm install\` brings it.`,
    );
    process.exitCode = 1;
  } else {
    become(node);
  }
}
