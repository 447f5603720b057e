import { quote } from "../exec/quote.ts";

/** Where the instance's own files are seen inside. */
export const inside = {
  /** What the server is told, which it cannot change. */
  config: "/etc/yonder",
  /** What it writes. */
  run: "/run/yonder",
} as const;

export interface StartScriptOptions {
  /** How the server is called. */
  readonly command: string;
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDir: string;
}

/** Where Apptainer looks for what an instance runs. */
export const startScriptPath = "/.singularity.d/startscript";

/**
 * What an instance runs instead of its image's start script, which knows of no server and no working directory:
 * Apptainer heeds neither the WORKDIR nor the ENTRYPOINT of a Docker image there. The image's environment is set already.
 */
export function startScript({ command, flags, environment, workingDir }: StartScriptOptions): string {
  const directory = quote(workingDir);
  const [program = ""] = command.split(" ");
  return `#!/bin/sh
umask ${process.umask().toString(8).padStart(4, "0")}
exec </dev/null >>${inside.run}/log 2>&1
# Of an image that is made for a port of its own.
unset YONDER_SERVER_HOST YONDER_SERVER_PORT YONDER_SERVER_SOCKET YONDER_SERVER_HEALTH_PORT YONDER_SERVER_ALLOW_CLEARTEXT \\
  YONDER_SERVER_WORKING_DIRECTORY YONDER_SERVER_STATE_DIRECTORY YONDER_SERVER_API_KEYS YONDER_SERVER_API_KEY_FILE
${exportsOf(environment)}
status=127
if ! command -v ${program} >/dev/null; then
  echo "${program} is not in this image; bindServer brings a server along"
elif mkdir -p ${directory} && cd ${directory}; then
  ${command} ${flags.map(quote).join(" ")} &
  echo $! >${inside.run}/server-pid
  wait $!
  status=$?
fi
echo $status >${inside.run}/exit-code
# Apptainer waits for ever for an instance whose script has ended while it was being started.
while :; do kill -STOP $$; done
`;
}

function exportsOf(environment: Readonly<Record<string, string>>): string {
  return Object.entries(environment)
    .map(([name, value]) => `export ${name}=${quote(value)}`)
    .join("\n");
}
