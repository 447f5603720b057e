/** A variable that commands do not inherit. A request may still set it. */
export interface WithheldVariable {
  /** Its name, where `*` stands for anything. */
  readonly name: string;
  /** Only where the value looks like this: names alone would hit too much. */
  readonly value?: RegExp;
  /** Only where this variable is there too. */
  readonly besides?: string;
  readonly reason: string;
}

/** What Kubernetes writes for a service: a cluster address, a port number, or both as a URL. */
const address = /^[\da-f.:]+$/i;
const port = /^\d+$/;
const url = /^(?:tcp|udp|sctp):\/\/[\d[]/;

const orchestrator = "the platform's own secret, with which a command could act as the platform";
const kubernetes = "an address of the cluster, which Kubernetes injects for every service of the namespace";
const workload = "opens the identity of the machine or pod at the cloud provider";
const ci = "opens the CI system's own services in the name of the job";
const supervisor = "a handle between the server and its supervisor, which a command would use in its place";
const npm = "left by npm where it started the server; a nested npm or node-gyp obeys it";
const shell = "says where the server was started, or how large its own terminal was";
const multiplexer = "names the terminal multiplexer that the server was started in";

/**
 * What the server keeps to itself. It is not a wall: a command that runs as the server's own user can read the server's
 * /proc/PID/environ, where even a deleted variable stays. So whoever starts a server for others hands it digests of its
 * keys, never the keys, and keeps other secrets out of its environment.
 *
 * What is not listed is inherited on purpose, as `docker exec` would: NODE_OPTIONS, NODE_EXTRA_CA_CERTS, proxies,
 * DOCKER_HOST, GOOGLE_APPLICATION_CREDENTIALS, and keys of the operator such as OPENAI_API_KEY are meant for commands as
 * often as not.
 */
export const withheldVariables: readonly WithheldVariable[] = [
  { name: "YONDER_*", reason: "the server's and the client's own settings" },
  { name: "SESSION_API_KEY", reason: orchestrator },
  { name: "OH_*", reason: orchestrator },
  { name: "AUTOMATION_CALLBACK_API_KEY", reason: orchestrator },
  { name: "E2B_ACCESS_TOKEN", reason: orchestrator },
  { name: "DAYTONA_API_KEY", reason: orchestrator },
  { name: "NOMAD_TOKEN", reason: orchestrator },
  { name: "KUBERNETES_*", reason: kubernetes },
  { name: "*_SERVICE_HOST", value: address, reason: kubernetes },
  { name: "*_SERVICE_PORT", value: port, reason: kubernetes },
  { name: "*_SERVICE_PORT_*", value: port, reason: kubernetes },
  { name: "*_PORT", value: url, reason: kubernetes },
  { name: "*_PORT_*_TCP*", reason: kubernetes },
  { name: "*_PORT_*_UDP*", reason: kubernetes },
  { name: "*_PORT_*_SCTP*", reason: kubernetes },
  { name: "AWS_CONTAINER_CREDENTIALS_*", reason: workload },
  { name: "AWS_CONTAINER_AUTHORIZATION_TOKEN*", reason: workload },
  { name: "AWS_WEB_IDENTITY_TOKEN_FILE", reason: workload },
  { name: "ECS_CONTAINER_METADATA_URI*", reason: workload },
  { name: "ECS_AGENT_URI", reason: workload },
  { name: "AZURE_FEDERATED_TOKEN_FILE", reason: workload },
  { name: "IDENTITY_ENDPOINT", reason: workload },
  { name: "IDENTITY_HEADER", reason: workload },
  { name: "MSI_ENDPOINT", reason: workload },
  { name: "MSI_SECRET", reason: workload },
  { name: "ACTIONS_*_TOKEN", reason: ci },
  { name: "ACTIONS_*_URL", reason: ci },
  { name: "CI_JOB_TOKEN", reason: ci },
  { name: "CI_JOB_JWT*", reason: ci },
  { name: "LISTEN_FDS", reason: supervisor },
  { name: "LISTEN_FDNAMES", reason: supervisor },
  { name: "LISTEN_PID", reason: supervisor },
  { name: "NOTIFY_SOCKET", reason: supervisor },
  { name: "WATCHDOG_PID", reason: supervisor },
  { name: "WATCHDOG_USEC", reason: supervisor },
  { name: "JOURNAL_STREAM", reason: supervisor },
  { name: "INVOCATION_ID", reason: supervisor },
  { name: "SYSTEMD_EXEC_PID", reason: supervisor },
  { name: "MAINPID", reason: supervisor },
  { name: "CREDENTIALS_DIRECTORY", reason: supervisor },
  { name: "NODE_CHANNEL_*", reason: supervisor },
  { name: "NODE_UNIQUE_ID", reason: supervisor },
  { name: "npm_*", besides: "npm_execpath", reason: npm },
  { name: "INIT_CWD", besides: "npm_execpath", reason: npm },
  { name: "TMUX", reason: multiplexer },
  { name: "TMUX_PANE", reason: multiplexer },
  { name: "STY", reason: multiplexer },
  { name: "PWD", reason: shell },
  { name: "OLDPWD", reason: shell },
  { name: "COLUMNS", reason: shell },
  { name: "LINES", reason: shell },
];

/** The environment without what is withheld, and without the names in `more` (where `*` stands for anything). */
export function withoutWithheld(environment: NodeJS.ProcessEnv, more: readonly string[] = []): Record<string, string> {
  const rules = [...withheldVariables, ...more.map((name) => ({ name, reason: "withheld by the operator" }))]
    .filter((rule: WithheldVariable) => rule.besides === undefined || environment[rule.besides] !== undefined)
    .map((rule: WithheldVariable) => ({ name: nameExpression(rule.name), value: rule.value }));
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined) continue;
    if (rules.some((rule) => rule.name.test(name) && (rule.value?.test(value) ?? true))) continue;
    kept[name] = value;
  }
  return kept;
}

function nameExpression(name: string): RegExp {
  return new RegExp(`^${name.replace(/[^\w*]/g, "\\$&").replaceAll("*", ".*")}$`);
}
