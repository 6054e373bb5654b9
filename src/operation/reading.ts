import type { z } from "zod";
import type { Context } from "./parse/context.ts";
import type { DockerCommand, KubectlCommand, SystemctlCommand } from "./parse/tool-command.ts";

/** Schema of an operation, as far as the reading of texts depends on it. */
export type OperationSchema = z.ZodType<{
  kind: string;
  target: { kind: string } | null;
  parameters: object;
}>;

type Unchecked<Value> = { [Field in keyof Value]: unknown };
/** The fields of an operation as a text gives them; the operation's schema checks their values. */
type Reading<Schema extends OperationSchema> = {
  target: Unchecked<z.output<Schema>["target"]>;
  parameters: Unchecked<z.output<Schema>["parameters"]>;
};

type TargetKind<Schema extends OperationSchema> = NonNullable<z.output<Schema>["target"]>["kind"];

type FromCommand<Schema extends OperationSchema, Command> = {
  /** What the command does, for people: `restarts a container`. Absent for a read. */
  reason?: string;
  /**
   * Returns the fields; null when the command means something else than this operation. Refuses a command that means it
   * and lacks something. Called only with commands that have passed the tool's safeguards.
   */
  read(command: Command): Reading<Schema> | null;
};

type Flagged = {
  /**
   * Flags of the verb that the operation has a field for, or that change nothing about it, as in a manual:
   * `-c,--container= --previous`.
   */
  flags: string;
  /** The other flags that the tool has for the verb: known, so that their values are not taken for names. */
  otherFlags?: string;
};

/** How texts are read as an operation; a kind without these fields is never read from a text. */
export type TextForms<Schema extends OperationSchema> = {
  /** Names of actions that mean it, each with the kinds of target that it is about: the target is the context's. */
  names?: Readonly<Record<string, readonly TargetKind<Schema>[]>>;
  /** Names of actions that are refused because they lack a parameter, with what they do not say. */
  incompleteNames?: Readonly<Record<string, string>>;
  /** A text that begins with these letters means it, whatever follows; only for an operation that changes nothing. */
  prefix?: string;
  /** By verb of kubectl, one word or two. Several operations may share a verb; the first that `read` fits is meant. */
  kubectl?: Readonly<Record<string, Flagged & FromCommand<Schema, KubectlCommand>>>;
  /** By command of docker: `container restart`, `compose restart`. `composeFlags`: flags of compose itself with a field. */
  docker?: Readonly<
    Record<string, Flagged & { composeFlags?: readonly string[] } & FromCommand<Schema, DockerCommand>>
  >;
  systemctl?: Readonly<Record<string, FromCommand<Schema, SystemctlCommand>>>;
  /** Programs on a host whose output the operation shows too, such as `df`; what they may be called with stands in `parse/`. */
  programs?: { names: readonly string[]; read(context: Context): Reading<Schema> };
};
