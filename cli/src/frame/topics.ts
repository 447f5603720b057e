/** What there is to know beside the verbs, for docs/command.md and the man page. */

/** The variables of the environment that the command reads, and what each means. */
export const environment: readonly (readonly [name: string, what: string])[] = [
  ["YONDER_HOST", "Where the server is, as for --host."],
  ["YONDER_PROFILE", "A workspace of the config file, as for --profile."],
  ["YONDER_API_KEY_FILE", "A file whose first line is the key. Refused where others than you can read it."],
  ["YONDER_API_KEY", "The key itself."],
  ["YONDER_GIT_TOKEN_FILE", "A file with a token for the remotes of git, as the verbs of git say."],
  ["YONDER_GIT_TOKEN", "The token itself."],
  ["YONDER_COMPLETION_TIMEOUT", "How long completion asks a workspace at most. Default 2s."],
  ["YONDER_DEBUG", "If set, an error is followed by where in the command it came from."],
  ["XDG_CONFIG_HOME", "Where yonder/config.json is. Default ~/.config."],
  ["NO_COLOR", "If set, nothing is coloured. FORCE_COLOR colours in a pipe, too; TERM=dumb shows no bars."],
  ["GIT_PAGER, PAGER", "What `yonder git diff` and `yonder git log` are read with on a terminal."],
];

/** The fields of a profile, and what each means. */
export const profileFields: readonly (readonly [name: string, what: string])[] = [
  ["host", "Where the server is: http://…, https://… or unix:///path. The only one that must be there."],
  ["apiKeyFile", "A file whose first line is the key. Refused where others than you can read it."],
  ["apiKey", "The key itself. Then the config file is refused where others than you can read it."],
  ["workingDir", "The directory to work in, absolute or relative to the server's."],
  [
    "workspaceId",
    "The workspace that is meant, by the id that `yonder info` tells. Another one at the address is refused.",
  ],
  ["ca", "The certificates that a server's must be signed by, as for --ca."],
  ["cert", "The certificate of this client, as for --cert."],
  ["certKey", "The private key of it, as for --cert-key."],
  ["passphraseFile", "A file with the passphrase of that key."],
  ["serverName", "The name that the server's certificate must have, as for --server-name."],
  ["httpVersion", '"2" or "1.1", as for --http-version.'],
  ["protocol", '"grpc", "connect" or "grpc-web", as for --protocol.'],
];

/** How it is chosen which workspace is meant, a paragraph each. */
export const whichWorkspace: readonly string[] = [
  "The first that is there: --host or --profile on the command line, YONDER_HOST, YONDER_PROFILE, and the `default` of the " +
    "config file. The options may stand before the verb or after it.",
  "The key is that of YONDER_API_KEY_FILE, of YONDER_API_KEY or of the profile; where a profile was named on the command " +
    "line and has a key, that one goes first. Where the server wants a key and none is known, it is asked for on the " +
    "terminal, if there is one. It is never on the command line, which everybody on the machine can read, and a profile's " +
    "goes to no other host.",
  "The config file is $XDG_CONFIG_HOME/yonder/config.json, ~/.config/yonder/config.json by default. Paths in it are relative " +
    "to it; ~/ is the home directory.",
];
