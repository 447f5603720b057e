import { AlreadyExists, NotFound } from "../util/errors.ts";

/** An id stands for one request for good: another one under it is refused. */
export function mustBeSameRequest(id: string, knownHash: string, hash: string): void {
  if (knownHash === hash) return;
  throw new AlreadyExists("EXEC_ID_CONFLICT", `Exec id "${id}" belongs to a different request`, {
    subject: id,
    remedy: "Use a new id for a new request; the same id joins only the very same one.",
  });
}

export function expiredId(id: string): NotFound {
  return new NotFound(
    "EXEC_EXPIRED",
    `Exec "${id}" has ended, and its output is no longer kept; it does not run again`,
    {
      subject: id,
      remedy: "Use a new id to run the command again.",
    },
  );
}

export function unknownId(id: string): NotFound {
  return new NotFound("EXEC_NOT_FOUND", `No exec has the id "${id}"`, {
    subject: id,
    remedy: "ListExecs has the ids of those that run, and of those that ended a while ago.",
  });
}
