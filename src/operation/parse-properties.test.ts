import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEED } from "../../test/support/random.ts";
import {
  manualCommand,
  OPERATION_KINDS,
  type Operation,
  operation,
  parseOperation,
  traitsOf,
} from "./index.ts";
import { kindOf } from "./parse/kubectl-kinds.ts";

const RUNS = { seed: SEED, numRuns: 2_000 };
const name = fc.stringMatching(/^[a-z]([a-z0-9-]{0,20}[a-z0-9])?$/);
const option = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const cluster = option(fc.stringMatching(/^[a-z0-9][a-z0-9.:@/-]{0,20}$/));
const workloads = fc.constantFrom("deployment", "statefulset", "daemonset");
const inCluster = (kind: fc.Arbitrary<string>) => fc.record({ kind, name, namespace: name, cluster });
const quantity = fc.stringMatching(/^[1-9]\d{0,3}(m|Mi|Gi)?$/);
const amounts = fc.record({ cpu: quantity, memory: quantity }, { requiredKeys: ["cpu"] });
// Whatever people put into annotations and variables, quotes and blanks included.
const free = fc.string({ maxLength: 20 }).filter((text) => !/\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}/u.test(text));
const on = (kind: string) => fc.record({ kind: fc.constant(kind), name, host: name });
const host = fc.record({ kind: fc.constant("host"), name });
// A short name is read as what it is short for.
const resource = name.map(kindOf).filter((kind) => !kind.includes("secret"));
const picked = fc.record(
  { resource, namespace: name, cluster, selector: name },
  { requiredKeys: ["resource"] },
);

/** By kind: what its target and parameters may be. Those without an entry have no command of their own. */
const CANDIDATES: Partial<Record<Operation["kind"], [fc.Arbitrary<unknown>, fc.Arbitrary<unknown>]>> = {
  "kubernetes.rollout_restart": [inCluster(workloads), fc.constant({})],
  "kubernetes.rollout_undo": [
    inCluster(workloads),
    fc.record({ to_revision: fc.integer({ min: 1, max: 999 }) }, { requiredKeys: [] }),
  ],
  "kubernetes.scale": [
    inCluster(fc.constantFrom("deployment", "statefulset")),
    fc.record({ replicas: fc.integer({ min: 0, max: 1_000 }) }),
  ],
  "kubernetes.delete_pod": [inCluster(fc.constant("pod")), fc.constant({})],
  "kubernetes.cordon": [fc.record({ kind: fc.constant("node"), name, cluster }), fc.constant({})],
  "kubernetes.uncordon": [fc.record({ kind: fc.constant("node"), name, cluster }), fc.constant({})],
  "kubernetes.drain": [
    fc.record({ kind: fc.constant("node"), name, cluster }),
    fc.record({ ignore_daemonsets: fc.boolean(), delete_emptydir_data: fc.boolean() }),
  ],
  "kubernetes.set_image": [
    inCluster(workloads),
    fc.record({
      images: fc.dictionary(
        name,
        fc.constantFrom("nginx", "nginx:1.2", "r.example:5000/t/i:v1", `a/b@sha256:${"0".repeat(64)}`),
        { minKeys: 1, maxKeys: 3 },
      ),
    }),
  ],
  "kubernetes.set_resources": [
    inCluster(workloads),
    fc.record({ container: name, requests: amounts, limits: amounts }, { requiredKeys: ["limits"] }),
  ],
  "kubernetes.patch": [
    inCluster(workloads),
    fc.record({
      patch: fc.record({
        spec: fc.record({
          template: fc.record({
            metadata: fc.record({ annotations: fc.dictionary(name, free, { minKeys: 1, maxKeys: 3 }) }),
            spec: fc.record({
              containers: fc.tuple(
                fc.record({ name, env: fc.tuple(fc.record({ name: fc.constant("A_B"), value: free })) }),
              ),
            }),
          }),
        }),
      }),
    }),
  ],
  "kubernetes.get": [fc.constant(null), picked],
  "kubernetes.describe": [inCluster(fc.constantFrom("deployment", "node", "widget")), fc.constant({})],
  "kubernetes.logs": [
    inCluster(fc.constantFrom("pod", "deployment", "job")),
    fc.record(
      {
        container: name,
        previous: fc.constant(true),
        tail: fc.nat(500),
        since_seconds: fc.integer({ min: 1, max: 999 }),
      },
      { requiredKeys: [] },
    ),
  ],
  "kubernetes.top": [inCluster(fc.constant("pod")), fc.record({ containers: fc.constant(true) })],
  "host.systemctl_restart": [on("unit"), fc.constant({})],
  "host.docker_restart": [on("container"), fc.constant({})],
  "host.docker_compose_restart": [on("compose_service"), fc.record({ project: name }, { requiredKeys: [] })],
  "host.docker_prune": [
    host,
    fc.record({ what: fc.constantFrom("system", "image", "builder"), all_images: fc.boolean() }),
  ],
  "host.reload_nginx": [host, fc.constant({})],
};

const anyOperation = fc.oneof(
  ...Object.entries(CANDIDATES).map(([kind, [target, parameters]]) =>
    fc
      .record({ kind: fc.constant(kind), target, parameters })
      .map((one) => operation.parse(JSON.parse(JSON.stringify(one)))),
  ),
);
const change = anyOperation.filter((one) => traitsOf(one).scope !== "read");
/** The command of an operation; every one of these kinds has one. */
const command = (one: Operation): string => manualCommand(one) ?? "";
const targets = (one: Operation | null) => JSON.stringify(one?.target ?? null);

describe("the parser", () => {
  it("does nothing for a text with the word for it, whatever command stands beside it, nor for less", () => {
    const word = fc
      .tuple(
        fc.constantFrom("NO_ACTION", "NO-ACTION", "NOACTION"),
        fc.array(fc.boolean(), { minLength: 9, maxLength: 9 }),
      )
      .map(([text, low]) => [...text].map((one, at) => (low[at] ? one.toLowerCase() : one)).join(""));
    const before = fc.constantFrom(
      "",
      " ",
      "\n",
      ": ",
      " | ",
      "(",
      '"',
      "**",
      "`",
      "=",
      "# ",
      "—",
      "結論：",
      "建議",
    );
    const after = fc.constantFrom(
      "",
      " ",
      "\n",
      ": ",
      ". ",
      ".",
      ",",
      " | ",
      ")",
      '"',
      "**",
      "`",
      ";",
      "因為",
      "。",
    );
    const inName = fc.constantFrom("x", "-x", "_x", "0", ".x", "s", "é");
    fc.assert(
      fc.property(
        fc.oneof(word, fc.constant("(未設)")),
        change,
        before,
        after,
        fc.boolean(),
        (said, one, left, right, first) => {
          const rest = command(one);
          const text = first ? `${said}${right} ${rest}` : `${rest} ${left}${said}${right}`;
          expect(parseOperation(text)).toMatchObject({ class: "read_only", operation: { kind: "none" } });
        },
      ),
      RUNS,
    );
    fc.assert(
      fc.property(word, inName, fc.constantFrom("deployment/", "deployment "), (said, more, kind) => {
        const object = `${said}${more}`.toLowerCase();
        const parsed = parseOperation(`kubectl rollout restart ${kind}${object} -n prod`);
        expect(parsed.operation?.kind ?? "refused").not.toBe("none");
        if (!/[_é]/.test(object)) expect(parsed.operation?.target?.name).toBe(object);
        expect(parseOperation(`${more}${said}`.replace(".x", "x.")).operation).toBeNull();
      }),
      RUNS,
    );
  });

  it("reads what an operation is by hand as that operation again", () => {
    const kinds = new Set<string>();
    fc.assert(
      fc.property(anyOperation, (one) => {
        kinds.add(one.kind);
        expect(parseOperation(command(one)).operation).toEqual(one);
      }),
      RUNS,
    );
    // scale_out is no command of kubectl: by hand it is a scale to the same number.
    const others = OPERATION_KINDS.filter((kind) => !kinds.has(kind));
    expect(others).toEqual([
      "process.restart",
      "kubernetes.scale_out",
      "host.diagnose",
      "host.clear_docker_logs",
      "host.vacuum_journal",
      "host.renew_certificate",
      "tool.call",
      "investigate",
      "none",
    ]);
  });

  it("never throws and always has a reason, whatever the text", () => {
    const piece = fc.oneof(
      fc.string({ unit: "binary", maxLength: 8 }),
      fc.constantFrom(
        ..."kubectl docker ssh systemctl journalctl sudo web1 get delete pod -n --all -l = ' \" \\ $ $( $\u007b ` ( ) { } < > << <( | || & && ; ;; # ! * ? [ ] ~ {{ }} $' $\" \n \t 2>&1 EOF".split(
          " ",
        ),
        " ",
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const parsed = parseOperation(pieces.join(""));
        expect(parsed.reason).not.toBe("");
        expect(parsed.approval).toBe(parsed.class === "operation" ? "required" : "none");
        if (parsed.operation !== null) expect(operation.parse(parsed.operation)).toEqual(parsed.operation);
      }),
      { ...RUNS, numRuns: 10_000 },
    );
  });

  it("makes no operation of a command with a metacharacter in it or behind it", () => {
    const meta = fc.constantFrom(
      ..."; | & && || > >> < << $(id) `id` $X $\u007bX} * ? [a] ( ) { } {a,b} # <x> <(id) >(id) ;; |& &> \n".split(
        " ",
      ),
    );
    fc.assert(
      fc.property(change, meta, fc.nat(), fc.constantFrom("", " "), (one, sign, place, blank) => {
        const words = command(one)
          .split(" ")
          .filter((word) => !word.includes("'"));
        fc.pre(words.join(" ") === command(one) && sign !== "");
        const at = place % (words.length + 1);
        const text = [...words.slice(0, at), `${sign}${blank}x`, ...words.slice(at)].join(" ");
        expect(parseOperation(text).class).not.toBe("operation");
        expect(parseOperation(`${command(one)}${blank}${sign} id`).class).not.toBe("operation");
      }),
      RUNS,
    );
  });

  it("makes no operation of a verb that is not listed", () => {
    const KNOWN =
      /^(rollout|scale|delete|cordon|uncordon|drain|set|patch|restart|reload|compose|container|system|image|builder)$/;
    const verb = fc.stringMatching(/^[a-z][a-z-]{1,12}$/).filter((text) => !KNOWN.test(text));
    fc.assert(
      fc.property(change, verb, (one, other) => {
        const words = command(one).split(" ");
        const at = words.findIndex((word) => KNOWN.test(word));
        words[at] = other;
        expect(parseOperation(words.join(" ")).class).not.toBe("operation");
      }),
      RUNS,
    );
  });

  it("makes no operation of a command with a flag that the operation has no field for", () => {
    const listed =
      /^--(namespace|context|request-timeout|output|timeout|wait|field-manager|to-revision|replicas|ignore-.*|delete-.*|containers|requests|limits|patch|type|dry-run|all|force|system|quiet|no-pager|no-ask-password)$/;
    const flag = fc.stringMatching(/^--[a-z][a-z-]{1,14}$/).filter((text) => !listed.test(text));
    fc.assert(
      fc.property(change, flag, option(name), (one, other, value) => {
        const text = `${command(one)} ${other}${value === undefined ? "" : `=${value}`}`;
        expect(parseOperation(text).class).not.toBe("operation");
      }),
      RUNS,
    );
  });

  it("names only what is written, also when a character of a command is changed", () => {
    const edit = fc.record({
      at: fc.nat(),
      gone: fc.nat(2),
      put: fc.string({ unit: "grapheme-ascii", maxLength: 2 }),
    });
    fc.assert(
      fc.property(change, edit, (one, { at, gone, put }) => {
        const text = command(one);
        const from = at % text.length;
        const edited = text.slice(0, from) + put + text.slice(from + gone);
        const found = parseOperation(edited).operation;
        if (found === null || targets(found) === targets(one)) return;
        // What quotes and escapes leave of the text, and what kubectl adds where nothing is said.
        const bare = `${edited.replaceAll(/['"\\]/g, "")} default localhost`;
        for (const value of Object.entries(found.target ?? {})) {
          if (value[0] !== "kind") expect(bare).toContain(value[1]);
        }
      }),
      { ...RUNS, numRuns: 5_000 },
    );
  });

  it("reads a quoted word as the word, however it is quoted", () => {
    const quote = fc.constantFrom<(text: string) => string>(
      (text) => `'${text}'`,
      (text) => `"${text}"`,
      (text) => `$'${text}'`,
      (text) => `${text.slice(0, 1)}""${text.slice(1)}`,
      (text) => [...text].map((one) => `\\${one}`).join(""),
      (text) => `$'${[...text].map((one) => `\\x${one.charCodeAt(0).toString(16)}`).join("")}'`,
    );
    const local = change.filter((one) => !command(one).startsWith("ssh") && !command(one).includes("'"));
    fc.assert(
      fc.property(local, fc.array(quote, { minLength: 12, maxLength: 12 }), (one, quotes) => {
        const words = command(one).split(" ");
        const text = words.map((word, index) => quotes[index % quotes.length]?.(word) ?? word).join(" ");
        expect(parseOperation(text).operation).toEqual(one);
      }),
      RUNS,
    );
  });

  it("takes time in proportion to the text", () => {
    // Each would take minutes if anything were read again from its beginning for every character.
    for (const part of [
      "{{",
      "<a",
      "${",
      "$(",
      "`",
      "'",
      '"',
      "\\",
      "s/",
      "x=",
      "-n ",
      "| ",
      "<<E ",
      "\n",
      "{a",
      "[[",
      "$'\\x",
    ]) {
      for (const start of ["", "kubectl get pods ", "kubectl get x | sed 's/"]) {
        expect(parseOperation(start + part.repeat(8_000 / part.length)).reason).not.toBe("");
      }
    }
  });
});
