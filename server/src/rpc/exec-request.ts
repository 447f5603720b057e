import type { ExecEnvironment, ExecRequest, OutputPolicy, ResourceLimits, Terminal } from "@yonder/proto";
import type { EnvironmentChange, ExecSpec, Program, ResourceLimits as Bounds, TerminalSize } from "../exec/spec.ts";
import type { Limits } from "../util/limits.ts";
import { durationField, invalidField, missingField, pathField, sizeField, textField } from "./fields.ts";

const ENVIRONMENT_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const MARK_NAME = "YONDER_EXEC_MARK";
const DEFAULT_KILL_GRACE_MS = 2_000;
const MOST_KILL_GRACE_MS = 60_000;
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;
const LEAST_MEMORY_BYTES = 1024 * 1024;
const MOST = Number.MAX_SAFE_INTEGER;

/** How wide and how high a terminal may be. */
export const TERMINAL_CELLS = { min: 1, max: 10_000 };

/** Checks a request against the rules in its comments, and fills in the defaults. Nothing has run when it throws. */
export function execSpec(request: ExecRequest, limits: Limits): ExecSpec {
  const timeRange = { minMs: 1, maxMs: limits.maxTimeoutMs };
  const terminal = request.terminal === undefined ? undefined : terminalSize(request.terminal);
  return {
    program: program(request),
    workingDirectory: pathField("working_directory", request.workingDirectory, request.rawWorkingDirectory),
    environment: environment(request.environment),
    user: request.user === "" ? undefined : textField("user", request.user),
    timeoutMs: durationField("timeout", request.timeout, timeRange) || undefined,
    idleTimeoutMs: durationField("idle_timeout", request.idleTimeout, timeRange) || undefined,
    disconnectGraceMs: durationField("disconnect_grace", request.disconnectGrace, { ...timeRange, minMs: 0 }),
    terminal,
    stdin: request.stdin === undefined ? undefined : { data: request.stdin.data, eof: request.stdin.eof },
    labels: labels(request.labels, limits),
    limits: bounds(request.limits),
    output: outputPolicy(request.output, limits),
    killGraceMs:
      durationField("kill_grace", request.killGrace, { minMs: 0, maxMs: MOST_KILL_GRACE_MS }) ?? DEFAULT_KILL_GRACE_MS,
  };
}

function program({ program: asked }: ExecRequest): Program {
  switch (asked.case) {
    case "command":
      if (asked.value.trim() === "") throw missingField("command", "is empty");
      return { command: textField("command", asked.value) };
    case "args": {
      const { values } = asked.value;
      if (values[0] === undefined || values[0] === "") throw missingField("args.values", "names no program");
      return { args: values.map((value, index) => textField(`args.values[${index}]`, value)) };
    }
    default:
      throw missingField("command", "or args must be set");
  }
}

function environment(asked: ExecEnvironment | undefined): EnvironmentChange {
  const { variables = {}, clean = false, unset = [] } = asked ?? {};
  for (const [name, value] of Object.entries(variables)) {
    mustBeName("environment.variables", name);
    if (name === MARK_NAME) throw invalidField("environment.variables", `sets ${MARK_NAME}, which is the server's own`);
    // The value may be a secret: it is never told.
    textField(`environment.variables[${name}]`, value);
  }
  for (const name of unset) mustBeName("environment.unset", name);
  return { variables, clean, unset };
}

function mustBeName(field: string, name: string): void {
  if (!ENVIRONMENT_NAME.test(name)) {
    throw invalidField(
      field,
      `has the name ${JSON.stringify(name.slice(0, 128))}, which is not of [A-Za-z_][A-Za-z0-9_]*`,
    );
  }
}

function terminalSize({ columns, rows, terminalType }: Terminal): TerminalSize {
  return {
    columns: sizeField("terminal.columns", columns || DEFAULT_COLUMNS, TERMINAL_CELLS),
    rows: sizeField("terminal.rows", rows || DEFAULT_ROWS, TERMINAL_CELLS),
    terminalType: textField("terminal.terminal_type", terminalType) || "xterm-256color",
  };
}

function labels(asked: Record<string, string>, limits: Limits): Record<string, string> {
  const entries = Object.entries(asked);
  if (entries.length > limits.maxLabels) {
    throw invalidField("labels", `has ${entries.length} entries; at most ${limits.maxLabels} are taken`);
  }
  for (const text of entries.flat()) {
    textField("labels", text);
    const bytes = Buffer.byteLength(text);
    if (bytes > limits.maxLabelBytes) {
      throw invalidField("labels", `has a name or value of ${bytes} bytes; at most ${limits.maxLabelBytes} are taken`);
    }
  }
  if ("" in asked) throw invalidField("labels", "has an empty name");
  return asked;
}

function bounds(asked: ResourceLimits | undefined): Bounds {
  if (asked === undefined) return {};
  const memoryBytes = Number(asked.memoryBytes);
  const processes = sizeField("limits.processes", asked.processes, { min: 0, max: MOST });
  const openFiles = sizeField("limits.open_files", asked.openFiles, { min: 0, max: MOST });
  const cpuTimeMs = durationField("limits.cpu_time", asked.cpuTime, { minMs: 0, maxMs: MOST });
  return {
    ...(memoryBytes === 0
      ? {}
      : { memoryBytes: sizeField("limits.memory_bytes", memoryBytes, { min: LEAST_MEMORY_BYTES, max: MOST }) }),
    ...(processes === 0 ? {} : { processes }),
    ...(openFiles === 0 ? {} : { openFiles }),
    ...(cpuTimeMs ? { cpuTimeSeconds: Math.ceil(cpuTimeMs / 1_000) } : {}),
  };
}

function outputPolicy(asked: OutputPolicy | undefined, limits: Limits): ExecSpec["output"] {
  const keepBytes = sizeField("output.keep_bytes", asked?.keepBytes ?? 0, { min: 0, max: limits.maxJournalBytes });
  const maxBytes = sizeField("output.max_bytes", asked?.maxBytes ?? 0, { min: 0, max: MOST });
  return { keepBytes: keepBytes || undefined, maxBytes: maxBytes || undefined };
}
