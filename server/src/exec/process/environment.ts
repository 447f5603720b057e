import type { EnvironmentChange } from "../spec.ts";
import type { Identity } from "./user.ts";

/** The variable by which a process that left its group and session is still known as its exec's. */
export const MARK_VARIABLE = "YONDER_EXEC_MARK";

/** Debian's, for a clean environment that sets none. */
export const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface EnvironmentRequest {
  /** What the server passes on: its own without what is withheld. */
  readonly inherited: Readonly<Record<string, string>>;
  readonly change: EnvironmentChange;
  readonly mark: string;
  /** The logical path of the directory that the command starts in; undefined where none can be told. */
  readonly workingDirectory: string | undefined;
  /** Whom it runs as, where that is somebody else than the server. */
  readonly identity: Identity | undefined;
  readonly terminalType: string | undefined;
}

/** What a command's environment is. What the request says goes before everything but the mark. */
export function commandEnvironment(request: EnvironmentRequest): Record<string, string> {
  const { inherited, change, identity, terminalType, workingDirectory } = request;
  const environment: Record<string, string> = {
    // First, so that a scan of /proc finds it at once.
    [MARK_VARIABLE]: request.mark,
    ...(change.clean ? { PATH: DEFAULT_PATH } : inherited),
    ...(identity === undefined ? undefined : accountVariables(identity)),
    ...(terminalType === undefined ? undefined : { TERM: terminalType }),
    // A shell takes its word for what the directory is called.
    ...(workingDirectory === undefined ? undefined : { PWD: workingDirectory }),
    ...change.variables,
  };
  const left = identity === undefined ? change.unset : [...change.unset, ...DIRECTORIES_OF_A_USER];
  for (const name of left) if (!Object.hasOwn(change.variables, name)) delete environment[name];
  environment[MARK_VARIABLE] = request.mark;
  return environment;
}

/** What a part of the server has that works as somebody else: Node's options and git's settings are the server's own. */
export function userEnvironment(
  inherited: Readonly<Record<string, string>>,
  identity: Identity,
): Record<string, string> {
  const environment = { PATH: DEFAULT_PATH, ...inherited, ...accountVariables(identity) };
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !NOT_ANOTHER_USERS.has(name)));
}

/** As login and su set them. */
function accountVariables({ name, home, shell }: Identity): Record<string, string> {
  return { HOME: home, USER: name, LOGNAME: name, SHELL: shell };
}

/** They lead to where another user may not write. */
const DIRECTORIES_OF_A_USER = [
  "XDG_RUNTIME_DIR",
  "XDG_CONFIG_HOME",
  "XDG_CACHE_HOME",
  "XDG_DATA_HOME",
  "XDG_STATE_HOME",
  "MAIL",
];

const NOT_ANOTHER_USERS = new Set([...DIRECTORIES_OF_A_USER, "NODE_OPTIONS", "GIT_CONFIG_GLOBAL"]);
