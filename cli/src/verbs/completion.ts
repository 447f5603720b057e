import { oneOf } from "../frame/parse.ts";
import { UsageError } from "../frame/failure.ts";
import { defineVerb } from "../frame/verb.ts";
import { write } from "../output/write.ts";

const shells = ["bash", "zsh", "fish"] as const;

export const verb = defineVerb({
  description: [
    "Verbs, options and their values are in the script. Ids of commands, paths there and names of profiles are asked for " +
      "as you type: of the workspace that the line names so far, for 2 s at most (YONDER_COMPLETION_TIMEOUT), and nothing " +
      "is said where it does not answer.",
  ],
  arguments: [{ usage: "<shell>", description: "bash, zsh or fish", completes: shells }],
  options: {},
  examples: [
    ["source <(yonder completion bash)", "In ~/.bashrc: for every bash."],
    ['yonder completion zsh > "${fpath[1]}/_yonder"', "For every zsh that has compinit in its ~/.zshrc."],
    ["yonder completion fish > ~/.config/fish/completions/yonder.fish", "For every fish."],
  ],
  connects: false,
  async run({ arguments: [shell] }) {
    await write(await script(readShell(shell)));
  },
});

function readShell(shell: string): (typeof shells)[number] {
  try {
    return oneOf(shells)(shell);
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(`the shell ${error.message}, got "${shell}"`) : error;
  }
}

async function script(shell: (typeof shells)[number]): Promise<string> {
  const { loadPlaces } = await import("../completion/model.ts");
  const places = await loadPlaces();
  switch (shell) {
    case "bash":
      return (await import("../completion/bash.ts")).bashScript(places);
    case "zsh":
      return (await import("../completion/zsh.ts")).zshScript(places);
    case "fish":
      return (await import("../completion/fish.ts")).fishScript(places);
  }
}
