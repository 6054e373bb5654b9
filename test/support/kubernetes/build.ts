/**
 * The programs of Kubernetes' control plane: where they are, and how they are built from Debian's source
 * package, since Debian has no package of them. The network is used through apt-get only.
 */
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { apt, install, onPath } from "../packages.ts";

/** What Debian 12 has the source of. */
const VERSION = "1.20.2";
/** The oldest Go of Debian 12, and the newest that compiles it. */
const GO = "/usr/lib/go-1.19/bin/go";
const SOURCES = ["debian bookworm", "debian bookworm-updates", "debian-security bookworm-security"];
const PACKAGE = "k8s.io/kubernetes";
const OPENAPI_GEN = `${PACKAGE}/vendor/k8s.io/kube-openapi/cmd/openapi-gen`;
const PROGRAMS = ["kube-apiserver", "kube-controller-manager"] as const;

/** The folder of what was built here. */
const cache = () =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "awoooi", `kubernetes-${VERSION}`);

/** A program of the control plane, of `KUBEBUILDER_ASSETS`, the PATH or built here; undefined without one. */
export function controlPlaneBinary(name: "etcd" | (typeof PROGRAMS)[number]): string | undefined {
  const assets = process.env.KUBEBUILDER_ASSETS;
  const places = [assets && join(assets, name), onPath(name), join(cache(), name)];
  return places.find((path) => path && existsSync(path)) || undefined;
}

/** The programs that are still to be built. */
const missing = () => PROGRAMS.filter((name) => controlPlaneBinary(name) === undefined);

/** The API server and the controller manager to test with; undefined when one is missing. */
export const kubernetesBinaries = (): string | undefined =>
  missing().length === 0 ? controlPlaneBinary("kube-apiserver") : undefined;

/** Builds what is missing and keeps it in the user's cache: five minutes or so and 2 GB of temporary disk, once. */
export function buildKubernetes(): void {
  process.stdout.write(`Building ${missing().join(" and ")} ${VERSION}: five minutes or so, this once…\n`);
  if (!existsSync(GO)) install("golang-1.19-go");
  if (onPath("dpkg-source") === undefined) install("dpkg-dev");
  const folder = mkdtempSync(join(tmpdir(), "awoooi-kubernetes-"));
  try {
    const source = join(folder, "src", PACKAGE);
    fetchSource(folder, source);
    const names = missing();
    if (names.includes("kube-apiserver")) generateOpenapi(folder, source);
    for (const name of names) keep(compile(folder, source, `./cmd/${name}`));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Debian's source package, with Debian's patches, through package lists of its own. */
function fetchSource(folder: string, source: string): void {
  const list = join(folder, "sources.list");
  const lists = join(folder, "lists");
  mkdirSync(join(lists, "partial"), { recursive: true });
  writeFileSync(list, SOURCES.map((suite) => `deb-src http://deb.debian.org/${suite} main\n`).join(""));
  const options = { SourceList: list, SourceParts: "/dev/null" };
  const own = Object.entries(options).flatMap(([key, value]) => ["-o", `Dir::Etc::${key}=${value}`]);
  own.push("-o", `Dir::State::Lists=${lists}`);
  apt([...own, "update"], folder);
  apt([...own, "source", "--download-only", "kubernetes"], folder);
  const description = readdirSync(folder).find((name) => name.endsWith(".dsc"));
  if (description === undefined) throw new Error("apt-get brought no source package");
  mkdirSync(dirname(source), { recursive: true });
  run("dpkg-source", ["-x", description, source], folder);
}

/** One file of the API server is not in its source: it is generated from all packages that are marked so. */
function generateOpenapi(folder: string, source: string): void {
  const parts = readdirSync(join(source, "vendor/k8s.io"), { withFileTypes: true })
    .filter(({ name }) => name !== "code-generator" && name !== "sample-apiserver")
    .map(({ name }) => `vendor/k8s.io/${name}/`);
  const marked = ["-rl", "--include=*.go", "--exclude=zz_generated*", "-e", "+k8s:openapi-gen="];
  const files = run("grep", [...marked, "pkg", "cmd", "plugin", ...parts], source)
    .trim()
    .split("\n");
  const packages = [...new Set(files.map((file) => `${PACKAGE}/${dirname(file)}`))].sort();
  const generator = compile(folder, source, OPENAPI_GEN);
  const options = [
    ["-i", packages.join(",")],
    ["-p", `${PACKAGE}/pkg/generated/openapi`],
    ["-O", "zz_generated.openapi"],
    ["-h", "vendor/k8s.io/code-generator/hack/boilerplate.go.txt"],
    ["-r", join(folder, "violations")],
  ];
  run(generator, options.flat(), source, environment(folder));
}

/** Go's of before its modules, which this source needs, and nothing of the user's own. */
const environment = (folder: string): NodeJS.ProcessEnv => ({
  PATH: `${dirname(GO)}:/usr/bin:/bin`,
  HOME: folder,
  GOPATH: folder,
  GOCACHE: join(folder, "cache"),
  GO111MODULE: "off",
  GOPROXY: "off",
  CGO_ENABLED: "0",
});

/** The path of the program that a package of `source` compiles to. */
function compile(folder: string, source: string, name: string): string {
  const [major, minor] = VERSION.split(".");
  const values = Object.entries({ gitVersion: `v${VERSION}`, gitMajor: major, gitMinor: minor });
  const version = ["component-base", "client-go/pkg"]
    .flatMap((of) =>
      values.map(([key, value]) => `-X ${PACKAGE}/vendor/k8s.io/${of}/version.${key}=${value}`),
    )
    .join(" ");
  const out = join(folder, "bin");
  const flags = ["-trimpath", "-ldflags", `-s -w ${version}`, "-o", `${out}/`];
  mkdirSync(out, { recursive: true });
  run(GO, ["build", ...flags, name], source, environment(folder));
  return join(out, name.slice(name.lastIndexOf("/") + 1));
}

/** Into the cache at one blow: another process may look there, or have built the same. */
function keep(program: string): void {
  const name = program.slice(program.lastIndexOf("/") + 1);
  const folder = cache();
  const whole = join(folder, `.${name}.${process.pid}`);
  mkdirSync(folder, { recursive: true });
  copyFileSync(program, whole);
  renameSync(whole, join(folder, name));
}

function run(program: string, args: readonly string[], cwd: string, env?: NodeJS.ProcessEnv): string {
  return execFileSync(program, args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}
