import { z } from "zod";
import { settingInfo } from "../../lib/setting.ts";
import { configSchema } from "./schema.ts";

/** Returns the JSON Schema of `awoooi.yaml` for editors: defaults, descriptions, secrets as `writeOnly`. */
export function configJsonSchema(): object {
  const schema = z.toJSONSchema(configSchema, {
    io: "input",
    unrepresentable: "any",
    override({ zodSchema, jsonSchema }) {
      const { secret } = settingInfo(zodSchema);
      if (secret !== undefined && secret !== "command") jsonSchema.writeOnly = true;
    },
  });
  return { ...schema, title: "awoooi.yaml" };
}
