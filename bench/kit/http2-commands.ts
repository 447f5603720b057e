import { argvOf } from "./program.ts";
import type { Program } from "./program.ts";
import { wideSession } from "./wide-http2.ts";

/** The client of a floor that runs commands: one warm connection, a stream a command, its bytes counted as they come. */
export async function http2Commands(port: number): Promise<(program: Program) => Promise<number>> {
  const session = await wideSession(port);
  return (program) =>
    new Promise((resolve, reject) => {
      const argv = argvOf(program);
      const stream = session.request({ ":path": "/", argv: JSON.stringify(argv) });
      let bytes = 0;
      let exitCode: unknown;
      stream.on("data", (chunk: Buffer) => (bytes += chunk.length));
      stream.once("trailers", (trailers) => (exitCode = trailers["exit-code"]));
      stream.once("error", reject);
      stream.once("close", () => {
        if (exitCode === "0") resolve(bytes);
        else reject(new Error(`${argv[0]} ended with ${String(exitCode)}`));
      });
    });
}
