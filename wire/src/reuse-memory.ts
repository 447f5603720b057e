import { createContextKey } from "@connectrpc/connect";

/**
 * Whether the messages of a call are read one by one, each done with before the next is asked for. Then the memory of
 * their bytes is used again, and gigabytes of garbage are spared. Set in the context values of a call.
 */
export const reuseMemory = createContextKey(false, { description: "use the memory of messages again" });
