import { createHash, randomBytes } from "node:crypto";
import { Command } from "commander";

/** `yonder key`: a fresh key for whoever calls, and the line for the server, which needs to know no more. */
export async function key(args: readonly string[]): Promise<void> {
  await new Command("yonder key")
    .description("Make an API key: the first line is the key, the second its digest for the server's key file")
    .helpOption("-h, --help", "Show this help")
    .showHelpAfterError("See `yonder key --help`.")
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
    .action(() => {
      const fresh = randomBytes(32).toString("base64url");
      const digest = createHash("sha256").update(fresh).digest("hex");
      process.stdout.write(`${fresh}\nsha256:${digest}\n`);
    })
    .parseAsync(args, { from: "user" });
}
