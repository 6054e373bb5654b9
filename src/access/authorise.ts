import { type Actor, ROLES, type Role } from "../lib/actor.ts";
import { AwoooiError } from "../lib/error.ts";

/** Which actors a verb admits: people from a role upwards (or none), named parts of the system, senders. */
export type Admission = {
  people: Role | "none";
  system?: readonly Extract<Actor, { kind: "system" }>["name"][];
  senders?: boolean;
};

export function hasRole(role: Role, least: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(least);
}

/** Throws `forbidden` unless `admission` admits `actor`; `verb` is for the message. */
export function authorise(actor: Actor, verb: string, admission: Admission): void {
  switch (actor.kind) {
    case "person": {
      if (admission.people !== "none" && hasRole(actor.role, admission.people)) return;
      const need =
        admission.people === "none" ? "only the system may" : `the role ${admission.people} is needed`;
      throw new AwoooiError("forbidden", `${actor.name} (${actor.role}) may not ${verb}: ${need}.`);
    }
    case "system":
      if (admission.system?.includes(actor.name)) return;
      throw new AwoooiError("forbidden", `The ${actor.name} may not ${verb}.`);
    case "sender":
      if (admission.senders === true) return;
      throw new AwoooiError("forbidden", `A sender of alerts may not ${verb}.`);
  }
}
