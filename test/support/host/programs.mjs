// What stands for systemctl, journalctl, docker, certbot, nginx and sudo on a host of the tests: it keeps its state in a folder,
// writes its arguments down as they came, and starts and ends real processes.
import { spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { appendFileSync, copyFileSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [folder, program, ...args] = process.argv.slice(2);
const at = (name) => join(folder, name);
const read = (name, otherwise) =>
  existsSync(at(name)) ? JSON.parse(readFileSync(at(name), "utf8")) : otherwise;
function write(name, value) {
  // Whole or not at all: several may read it meanwhile.
  const next = at(`${name}.${process.pid}`);
  writeFileSync(next, JSON.stringify(value));
  renameSync(next, at(name));
}
const say = (text) => process.stdout.write(text);
function end(code, text = "") {
  process.stderr.write(text);
  process.exitCode = code;
}
const now = () => Math.round(Number.parseFloat(readFileSync("/proc/uptime", "utf8")) * 1e6);

function start() {
  const child = spawn("sleep", ["1000"], { detached: true, stdio: "ignore" });
  child.unref();
  appendFileSync(at("pids"), `${child.pid}\n`);
  return child.pid;
}
function kill(pid) {
  if (!(pid > 0)) return;
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Ended already.
  }
}

const full = (name) => (name.includes(".") ? name : `${name}.service`);

function systemctl([verb, ...rest]) {
  const units = read("units.json", {});
  const name = full(rest.at(-1) ?? "");
  const unit = units[name];
  if (verb === "show") {
    const shown = unit ?? { Id: name, LoadState: "not-found", ActiveState: "inactive", SubState: "dead" };
    say(
      Object.entries(shown)
        .map(([key, value]) => `${key}=${value}\n`)
        .join(""),
    );
  } else if (verb === "list-unit-files")
    say(
      Object.keys(units)
        .map((one) => `${one} enabled enabled\n`)
        .join(""),
    );
  else if (verb === "list-units") {
    const failed = rest.includes("--failed");
    const list = Object.values(units).filter((one) => !failed || one.ActiveState === "failed");
    say(list.map((one) => `${one.Id} loaded ${one.ActiveState} ${one.SubState} text\n`).join(""));
  } else if (unit === undefined) end(5, `Failed to ${verb} ${name}: Unit ${name} not found.\n`);
  else if (verb === "cat") say(`# ${name}\n[Service]\n`);
  else if (verb === "restart") {
    kill(unit.MainPID);
    const started = { MainPID: start(), InvocationID: randomUUID().replaceAll("-", ""), NRestarts: 0 };
    const state = { ActiveState: "active", SubState: "running", Result: "success" };
    const times = { ActiveEnterTimestampMonotonic: now(), StateChangeTimestampMonotonic: now() };
    write("units.json", { ...units, [name]: { ...unit, ...started, ...state, ...times } });
  } else if (verb === "reload") {
    write("units.json", { ...units, [name]: { ...unit, StateChangeTimestampMonotonic: now() } });
  }
}

function restartContainers(fits) {
  const all = read("containers.json", []);
  const some = all.filter(fits);
  for (const one of some) {
    kill(one.State.Pid);
    one.State = {
      ...one.State,
      Status: "running",
      Running: true,
      Restarting: false,
      ExitCode: 0,
      Pid: start(),
    };
    one.State.StartedAt = new Date().toISOString();
    one.RestartCount = 0;
  }
  write("containers.json", all);
  return some;
}

const labelled = (one, name, value) => one.Config.Labels?.[`com.docker.compose.${name}`] === value;

function compose(args) {
  const project = args[args.indexOf("--project-name") + 1];
  if (args.includes("config")) {
    const broken = existsSync(at("compose-broken"));
    return broken ? end(15, "services.web.image must be a string\n") : undefined;
  }
  const service = args.at(-1);
  const done = restartContainers(
    (one) => labelled(one, "project", project) && labelled(one, "service", service),
  );
  if (done.length === 0) end(1, `no such service: ${service}\n`);
  else end(0, ` Container ${done[0].Name.slice(1)} Started\n`);
}

function filtered(all, args) {
  const filters = args.flatMap((one, index) => (one === "--filter" ? [args[index + 1]] : []));
  const states = filters.filter((one) => one.startsWith("status=")).map((one) => one.slice(7));
  const labels = filters.filter((one) => one.startsWith("label=")).map((one) => one.slice(6).split("="));
  return all.filter(
    ({ State, Config }) =>
      (states.length === 0 || states.includes(State.Status)) &&
      labels.every(([name, value]) => Config.Labels?.[name] === value),
  );
}

function docker(args) {
  const [verb, second] = args;
  const all = read("containers.json", []);
  const format = args[args.indexOf("--format") + 1] ?? "";
  const missing = (name) => end(1, `Error response from daemon: No such container: ${name}\n`);
  if (verb === "compose") return compose(args.slice(1));
  if (verb === "version") return say("24.0.7\n");
  if (verb === "info") return say(`${folder}\n`);
  if (verb === "restart") {
    const name = args.at(-1);
    return restartContainers((one) => one.Name === `/${name}`).length === 0
      ? missing(name)
      : say(`${name}\n`);
  }
  if (verb === "ps") {
    const fill = (one) =>
      format
        .replaceAll("{{.ID}}", one.Id)
        .replaceAll("{{.Names}}", one.Name.slice(1))
        .replaceAll("{{.Image}}", one.Config.Image)
        .replaceAll("{{.State}}", one.State.Status)
        .replaceAll("{{.Status}}", one.Status ?? one.State.Status)
        .replaceAll(
          '{{.Label "com.docker.compose.service"}}',
          one.Config.Labels?.["com.docker.compose.service"] ?? "",
        )
        .replaceAll("\\t", "\t");
    return say(
      filtered(all, args)
        .map((one) => `${fill(one)}\n`)
        .join(""),
    );
  }
  if (verb === "container" && second === "inspect") {
    const names = args.slice(args.indexOf("--") + 1);
    const found = names.map((name) => all.find((one) => [one.Id, one.Name.slice(1)].includes(name)));
    const lost = names.find((_, index) => found[index] === undefined);
    say(JSON.stringify(found.filter(Boolean)));
    return lost === undefined ? undefined : missing(lost);
  }
  if (verb === "logs") return say("panic: no database\n");
  if (verb === "images")
    return say(format.includes("ID") ? "sha256:dangling\tsha256:dangling\t120MB\n" : "120MB\n");
  if (verb === "system" && second === "df")
    return say(
      format === "{{.Type}}\\t{{.Size}}" || format === "{{.Type}}\t{{.Size}}"
        ? "Images\t2.1GB\nBuild Cache\t300MB\n"
        : "Images: 1.2GB (57%) of 2.1GB\nLocal Volumes: 5GB of 9GB\n",
    );
  if (second === "prune") {
    write(
      "containers.json",
      all.filter((one) => one.State.Status !== "exited"),
    );
    return say("Total reclaimed space: 1.2GB\n");
  }
  return end(1, `docker: '${verb}' is not a docker command.\n`);
}

function certbot([verb]) {
  const path = at("cert.pem");
  if (verb === "certificates")
    say(`Found the following certs:\n  Certificate Name: x\n    Certificate Path: ${path}\n`);
  else copyFileSync(at("next.pem"), path);
}

function nginx() {
  if (existsSync(at("nginx-broken"))) end(1, 'nginx: [emerg] unknown directive \u001b[31m"servr"\u001b[0m\n');
  else end(0, "nginx: configuration file test is successful\n");
}

function sudo(args) {
  if (existsSync(at("sudo-refuses"))) return end(1, "sudo: a password is required\n");
  const command = args.slice(args.indexOf("--") + 1);
  if (args.includes("-l")) return say(`/usr/bin/${command.join(" ")}\n`);
  const { status } = spawnSync(command[0], command.slice(1), { stdio: "inherit" });
  return end(status ?? 1);
}

function df(args) {
  // What a test says of a path: a line, or that it hangs.
  const disks = read("disks.json", null);
  if (disks !== null) {
    const path = args.includes("--") ? args.at(-1) : null;
    if (disks[path] === "hangs") return setInterval(() => {}, 1_000);
    const lines = path === null ? Object.values(disks).filter((one) => one !== "hangs") : [disks[path]];
    if (lines[0] === undefined) return end(1, `df: ${path}: No such file or directory\n`);
    return say(`Filesystem 1024-blocks Used Available Capacity Mounted on\n${lines.join("\n")}\n`);
  }
  const free = read("free.json", null);
  if (free === null || !args.includes("--"))
    return end(spawnSync("/bin/df", args, { stdio: "inherit" }).status ?? 1);
  return say(
    `Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sda1 1000000 ${1e6 - free} ${free} 50% /data\n`,
  );
}

function journalctl(args) {
  const size = read("journal.json", 0);
  if (args.includes("--disk-usage"))
    return say(`Archived and active journals take up ${size}M in the file system.\n`);
  const keep = /^--vacuum-size=(\d+)M$/.exec(args[0] ?? "")?.[1];
  if (keep === undefined) return say("a line of the journal\n");
  write("journal.json", Math.min(size, Number(keep)));
  return end(0, `Vacuuming done, freed ${Math.max(size - Number(keep), 0)}M of archived journals\n`);
}

const PROGRAMS = { journalctl, systemctl, docker, certbot, nginx, sudo, df };

appendFileSync(at("calls"), `${JSON.stringify([program, ...args])}\n`);
const line = [program, ...args].join(" ");
if (read("hang.json", []).some((one) => line.startsWith(one))) {
  appendFileSync(at("pids"), `${process.pid}\n`);
  appendFileSync(at("hanging"), `${process.pid}\n`);
  setInterval(() => {}, 1_000);
} else if (PROGRAMS[program] === undefined) end(127, `${program}: not found\n`);
else PROGRAMS[program](args);
