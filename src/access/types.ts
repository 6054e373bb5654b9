import type { Role } from "../lib/actor.ts";

export type Token = {
  token_id: string;
  person_id: string;
  person: string;
  name: string;
  role: Role;
  created_at: Date;
  created_by: string;
  created_by_kind: string | null;
  revoked_at: Date | null;
  keeps_signatures: boolean;
};
