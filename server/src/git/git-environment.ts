/** A setting for one git process, stronger than every configuration file. */
export type GitSetting = readonly [key: string, value: string];

/**
 * What of the server's environment git needs: to find programs, configuration, proxies and certificates. All else stays
 * behind, since hooks, filters and ssh inherit it.
 */
const INHERITED = [
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "TMPDIR",
  "TZ",
  "XDG_CONFIG_HOME",
  "http_proxy",
  "https_proxy",
  "HTTPS_PROXY",
  "all_proxy",
  "ALL_PROXY",
  "no_proxy",
  "NO_PROXY",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "SSH_AUTH_SOCK",
  "GIT_SSL_CAINFO",
  "GIT_SSL_CAPATH",
  "GIT_CONFIG_GLOBAL",
  "GIT_CONFIG_SYSTEM",
  "GIT_CONFIG_NOSYSTEM",
  "GIT_EXEC_PATH",
  "LD_LIBRARY_PATH",
] as const;

/** Whether the repository's own owner is somebody else is no concern of ours: the server's user may read it or not. */
const ANY_OWNER: GitSetting = ["safe.directory", "*"];

const READ_SETTINGS: readonly GitSetting[] = [
  ANY_OWNER,
  ["core.fsmonitor", "false"],
  ["core.quotePath", "false"],
  ["log.showSignature", "false"],
  ["diff.suppressBlankEmpty", "false"],
];

/** Two background jobs that outlive the call that starts them, and would be nobody's. */
const VERB_SETTINGS: readonly GitSetting[] = [ANY_OWNER, ["gc.auto", "0"], ["maintenance.auto", "false"]];

/** The environment of a git that only reads: no locks, no network, no prompts, messages in English. */
export function readEnvironment(settings: readonly GitSetting[] = []): NodeJS.ProcessEnv {
  return {
    ...inherited(),
    ...settingVariables([...READ_SETTINGS, ...settings]),
    GIT_OPTIONAL_LOCKS: "0",
    // A partial clone would fetch what it lacks; the second for git before 2.44.
    GIT_NO_LAZY_FETCH: "1",
    GIT_ALLOW_PROTOCOL: "none",
  };
}

/** The environment of a git that acts. */
export function verbEnvironment(
  settings: readonly GitSetting[],
  variables: Readonly<Record<string, string>>,
): Record<string, string> {
  return {
    ...inherited(),
    ...settingVariables([...VERB_SETTINGS, ...settings]),
    GIT_LITERAL_PATHSPECS: "1",
    // Whatever would ask somebody fails instead: nobody is there.
    GIT_EDITOR: "false",
    GIT_SEQUENCE_EDITOR: "false",
    ...variables,
  };
}

function inherited(): Record<string, string> {
  const environment: Record<string, string> = { LC_ALL: "C", GIT_TERMINAL_PROMPT: "0", GIT_PAGER: "cat" };
  for (const name of INHERITED) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  environment["PATH"] ??= "/usr/local/bin:/usr/bin:/bin";
  return environment;
}

/** Settings by the environment, not by -c: they reach git's own children, and a key may hold "=". */
function settingVariables(settings: readonly GitSetting[]): Record<string, string> {
  const variables: Record<string, string> = { GIT_CONFIG_COUNT: String(settings.length) };
  for (const [index, [key, value]] of settings.entries()) {
    variables[`GIT_CONFIG_KEY_${index}`] = key;
    variables[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return variables;
}
