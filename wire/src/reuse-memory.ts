import { createContextKey } from "@connectrpc/connect";

/**
 * How many messages of a call its reader holds at most, the last ones that he asked for: the memory of the others is used
 * again, and gigabytes of garbage are spared. 0: all of them are his. Set in the context values of a call.
 */
export const reuseMemory = createContextKey(0, { description: "use the memory of messages again" });
