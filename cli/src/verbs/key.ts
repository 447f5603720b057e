import { createHash, randomBytes } from "node:crypto";
import { defineVerb } from "../frame/verb.ts";
import { write } from "../output/write.ts";

export const verb = defineVerb({
  description: [
    "The first line is the key, for whoever calls. The second is its digest, for the server's key file: the server " +
      "needs to know no more, and nothing that it shows opens it.",
  ],
  arguments: [],
  options: {},
  examples: [["yonder key", "Print a key and its digest."]],
  connects: false,
  async run() {
    const fresh = randomBytes(32).toString("base64url");
    const digest = createHash("sha256").update(fresh).digest("hex");
    await write(`${fresh}\nsha256:${digest}\n`);
  },
});
