import { createHash, randomBytes } from "node:crypto";
import { appendFile } from "node:fs/promises";
import { defineVerb, value } from "../frame/verb.ts";
import { write } from "../output/write.ts";

export const verb = defineVerb({
  description: [
    "The first line is the key, for whoever calls. The second is its digest, for the server's key file: the server " +
      "needs to know no more, and nothing that it shows opens it. With --digest-file the digest goes there, and the key " +
      "alone is printed.",
  ],
  arguments: [],
  options: {
    digestFile: value("--digest-file <file>", "Add the digest to this key file, which is made if need be", {
      completes: "local-path",
    }),
  },
  examples: [
    ["yonder key", "Print a key and its digest."],
    ["export YONDER_API_KEY=$(yonder key --digest-file keys)", "Make a key for this shell, and let it in."],
    ["yonder serve --api-key-file keys", "Serve whoever has it."],
  ],
  connects: false,
  async run({ options: { digestFile } }) {
    const fresh = randomBytes(32).toString("base64url");
    const digest = createHash("sha256").update(fresh).digest("hex");
    if (digestFile === undefined) {
      await write(`${fresh}\nsha256:${digest}\n`);
    } else {
      await appendFile(digestFile, `sha256:${digest}\n`, { mode: 0o600 });
      await write(`${fresh}\n`);
    }
  },
});
