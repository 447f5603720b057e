/**
 * A verb of the command: what `--help`, completion, the pages and the man page say of it, and what it does.
 *
 * A verb's file is loaded to describe it, too: it imports types and light helpers only, and `run` loads the rest.
 */
export interface Verb<
  Args extends readonly Argument[] = readonly Argument[],
  Options extends OptionTable = OptionTable,
> {
  /** What there is to know beside the summary in the catalogue; a paragraph each. */
  readonly description: readonly string[];
  readonly arguments: Args;
  readonly options: Options;
  /** A command line, and what it does. At least one. */
  readonly examples: readonly (readonly [command: string, what: string])[];
  /** Exit codes beside those of every verb: see `exits.ts`. */
  readonly exits?: readonly (readonly [code: string, what: string])[];
  /** Whether it works in a workspace, and so takes the options that say in which one. */
  readonly connects: boolean;
  /** Whether options end at the first argument, so that what follows may have options of its own. */
  readonly passThrough?: boolean;
  /** Resolves to the exit code, where it is not 0. Rejects with what is told in one line, for 255 or 2. */
  run(invocation: Invocation<Args, Options>): Promise<number | void>;
}

/** One argument, in commander's writing: "<path>", "[path]", "<path...>", "[path...]". */
export interface Argument<Usage extends string = string> {
  readonly usage: Usage;
  readonly description: string;
  readonly completes?: Completion;
}

/** One option, in commander's writing: "-l, --label <name=value>". Made by `flag`, `value` and `list`. */
export interface Option<T = unknown> {
  readonly flags: string;
  readonly description: string;
  readonly kind: "flag" | "value" | "list";
  /** Of a value's text. Throws a UsageError that says what it should be. */
  readonly parse: (text: string) => unknown;
  readonly completes?: Completion | undefined;
  /** Not in help, completion and pages. */
  readonly hidden?: boolean;
  /** Never set: carries the type. */
  readonly type?: T;
}

export type OptionTable = Readonly<Record<string, Option>>;

/** What a shell may offer for an argument or a value; a list holds the words themselves. */
export type Completion =
  "local-path" | "remote-path" | "either-path" | "exec-id" | "profile" | "signal" | readonly string[];

/** What a verb was called with. */
export interface Invocation<Args extends readonly Argument[], Options extends OptionTable> {
  readonly arguments: { readonly [I in keyof Args]: ArgumentValue<Args[I]> };
  readonly options: OptionValues<Options>;
  /** Which workspace is meant; for `connect`. */
  readonly connection: ConnectionOptions;
}

/** What the command line says on which workspace is meant, and how to reach it. */
export interface ConnectionOptions {
  readonly host?: string | undefined;
  readonly profile?: string | undefined;
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly certKey?: string | undefined;
  readonly serverName?: string | undefined;
  readonly httpVersion?: string | undefined;
  readonly protocol?: string | undefined;
}

export type OptionValues<Options extends OptionTable> = {
  readonly [Name in keyof Options]: Options[Name] extends Option<infer T> ? T : never;
};

type ArgumentValue<A> =
  A extends Argument<infer Usage>
    ? Usage extends `${string}...${string}`
      ? readonly string[]
      : Usage extends `[${string}`
        ? string | undefined
        : string
    : never;

/** Declares a verb; what `run` gets has the types of its arguments and options. */
export function defineVerb<const Args extends readonly Argument[], const Options extends OptionTable>(
  verb: Verb<Args, Options>,
): Verb {
  return verb;
}

/** An option that is there or not. */
export function flag(flags: string, description: string): Option<boolean> {
  return { flags, description, kind: "flag", parse: (text) => text };
}

/** An option with a value; undefined where it is not given. */
export function value<T>(
  flags: string,
  description: string,
  more: ValueOptions<T> & { parse: (text: string) => T },
): Option<T | undefined>;
export function value(flags: string, description: string, more?: ValueOptions<string>): Option<string | undefined>;
export function value(flags: string, description: string, more: ValueOptions<unknown> = {}): Option {
  return { flags, description, kind: "value", parse: (text) => text, ...more };
}

/** An option that may be given several times: all its values. */
export function list<T>(
  flags: string,
  description: string,
  more: ValueOptions<T> & { parse: (text: string) => T },
): Option<readonly T[]>;
export function list(flags: string, description: string, more?: ValueOptions<string>): Option<readonly string[]>;
export function list(flags: string, description: string, more: ValueOptions<unknown> = {}): Option {
  return { flags, description, kind: "list", parse: (text) => text, ...more };
}

interface ValueOptions<T> {
  readonly parse?: (text: string) => T;
  readonly completes?: Completion;
  readonly hidden?: boolean;
}
