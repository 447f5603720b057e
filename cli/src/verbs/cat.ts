import { asUser, userOption } from "../connection/as-user.ts";
import { connect } from "../connection/connect.ts";
import { argumentBytes } from "../files/argument-bytes.ts";
import { forEach } from "../files/each.ts";
import { keepMemoryFlat } from "../files/flat-memory.ts";
import { size } from "../frame/parse.ts";
import { defineVerb, value } from "../frame/verb.ts";
import { write } from "../output/write.ts";

export const verb = defineVerb({
  description: [
    "One after the other, byte for byte, as they arrive. A file that becomes shorter, or gives way to another one, while " +
      "it is read is an error; a log that grows is read up to the size it had.",
  ],
  arguments: [{ usage: "<path...>", description: "The files", completes: "remote-path" }],
  options: {
    offset: value("--offset <bytes>", "Begin at this byte: 4096, 64KiB, 1M", { parse: size }),
    length: value("--length <bytes>", "Print so many bytes at most", { parse: size }),
    user: userOption,
  },
  examples: [
    ["yonder cat out/report.html > report.html", "A file, into one here."],
    ["yonder cat --offset 1M --length 64KiB build.log", "64 KiB from the middle of it."],
  ],
  connects: true,
  async run({ arguments: [paths], options: { offset, length, user }, connection }) {
    keepMemoryFlat();
    await using workspace = await connect(connection, asUser(user));
    return await forEach(paths, async (path) => {
      for await (const data of workspace.fs.readStream(argumentBytes(path), { offset, length })) await write(data);
    });
  },
});
