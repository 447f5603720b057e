import { InvalidRequest } from "./errors.ts";

/** What is wrong with an option: its name, then the rule that it breaks, as in "cpus must be a number from 0.01, got 0". */
export function invalidOption(option: string, rule: string, cause?: unknown): InvalidRequest {
  return new InvalidRequest(`${option} ${rule}`, { reason: "INVALID_FIELD", subject: option, cause });
}
