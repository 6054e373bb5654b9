import { z } from "zod";
import { duration } from "../../lib/duration.ts";

/** A duration, in seconds after parsing; `text` is the default. */
export const seconds = (text: string) => duration.prefault(text);
/** A whole number from 1 on. */
export const count = (value: number) => z.number().int().min(1).max(1_000_000).default(value);
/** A positive number, with or without a default. */
export function rate(): z.ZodNumber;
export function rate(value: number): z.ZodDefault<z.ZodNumber>;
export function rate(value?: number) {
  const number = z.number().positive().max(1e12);
  return value === undefined ? number : number.default(value);
}
/** A share, from 0 to 1. */
export const part = (value: number) => z.number().min(0).max(1).default(value);
/** A section whose settings all have defaults. */
export const section = <T extends z.core.$ZodLooseShape>(shape: T) =>
  z.strictObject(shape).prefault({} as never);
