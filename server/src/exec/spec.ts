/** What to run, and how: the domain's own form of the contract's ExecRequest, checked and with its defaults filled in. */
export interface ExecSpec {
  readonly program: Program;
  /** As it was asked for; relative to the workspace's directory. Undefined: the workspace's directory. */
  readonly workingDirectory: Buffer | undefined;
  readonly environment: EnvironmentChange;
  readonly user: string | undefined;
  readonly timeoutMs: number | undefined;
  readonly idleTimeoutMs: number | undefined;
  readonly disconnectGraceMs: number | undefined;
  readonly terminal: TerminalSize | undefined;
  readonly stdin: { readonly data: Uint8Array; readonly eof: boolean } | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly limits: ResourceLimits;
  readonly output: { readonly keepBytes: number | undefined; readonly maxBytes: number | undefined };
  readonly killGraceMs: number;
}

export type Program = { readonly command: string } | { readonly args: readonly string[] };

export interface EnvironmentChange {
  readonly variables: Readonly<Record<string, string>>;
  readonly clean: boolean;
  readonly unset: readonly string[];
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
  readonly terminalType: string;
}

export interface ResourceLimits {
  readonly memoryBytes?: number;
  readonly processes?: number;
  readonly cpuTimeSeconds?: number;
  readonly openFiles?: number;
}

export type OutputStream = "stdout" | "stderr";
