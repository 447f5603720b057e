import type { GitProgress, GitRemoteOptions } from "@yonder/client";
import { Interrupt } from "../files/interrupt.ts";
import { isYonderError } from "../frame/failure.ts";
import { ProgressLine } from "../output/progress-line.ts";
import { writeError } from "../output/write.ts";
import type { RemoteSettings } from "./remote-options.ts";

/**
 * Does what talks to a remote, with its progress shown. Where the remote wants a password and none is known, the
 * terminal, if there is one, is asked. Ctrl-C ends git in the workspace; what to exit with is returned then.
 */
export async function runOperation<T>(
  { quiet }: { readonly quiet: boolean },
  settings: RemoteSettings,
  act: (options: GitRemoteOptions) => Promise<T>,
): Promise<{ readonly result: T } | { readonly exitCode: number }> {
  using interrupt = new Interrupt();
  const attempt = async (token: string | undefined): Promise<T> => {
    const line = new ProgressLine("git", { quiet, amount: (value) => String(Math.round(value)) });
    const onProgress = ({ phase, done, total }: GitProgress): void => {
      line.label = phase;
      line.update(done, total);
    };
    try {
      return await act({ ...settings, token, signal: interrupt.signal, ...(line.isShown && { onProgress }) });
    } finally {
      line.clear();
    }
  };
  try {
    return { result: await attempt(settings.token) };
  } catch (error) {
    if (interrupt.exitCode !== undefined) {
      await writeError("yonder: interrupted; git has been ended in the workspace, too\n");
      return { exitCode: interrupt.exitCode };
    }
    const isWanted = isYonderError(error) && error.reason === "AUTHENTICATION_FAILED" && settings.token === undefined;
    if (!isWanted || settings.credentials.length > 0) throw error;
    const { askSecretly } = await import("../connection/ask-for-key.ts");
    const token = await askSecretly(`Password or token for ${error.subject}: `);
    if (token === undefined) throw error;
    return { result: await attempt(token) };
  }
}
