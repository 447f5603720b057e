/** How a scope ended, as an automation service is told. */
export interface Completion {
  /** What ended it early. Undefined: nothing did. */
  readonly failure?: { readonly error: unknown } | undefined;
  readonly conversationId?: string | undefined;
  /** In US dollars. */
  readonly cost?: number | undefined;
}

const longestMs = 10_000;
/** Of an error's text, in characters. */
const longestDetail = 8_192;

/**
 * Tells the automation service that started this program how it went, where the environment names one:
 * AUTOMATION_CALLBACK_URL, with AUTOMATION_CALLBACK_API_KEY as its bearer and AUTOMATION_RUN_ID as the run.
 *
 * Never throws and takes 10 s at most: what fails is a warning of the process, which names neither the key nor more of
 * the address than its origin.
 */
export async function sendCompletion(completion: Completion): Promise<void> {
  const { AUTOMATION_CALLBACK_URL: address, AUTOMATION_CALLBACK_API_KEY: key } = process.env;
  if (!address) return;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) return warn("AUTOMATION_CALLBACK_URL is no http(s) URL");
  if (url.username || url.password) return warn("AUTOMATION_CALLBACK_URL must have no user or password");
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...(key && { authorization: `Bearer ${key}` }) },
      body: JSON.stringify(payloadOf(completion)),
      // Another address was not meant to get the key.
      redirect: "manual",
      signal: AbortSignal.timeout(longestMs),
    });
    await response.body?.cancel();
    if (!response.ok) warn(`${url.origin} answered ${response.status}`);
  } catch (error) {
    warn(`${url.origin} could not be told: ${reasonOf(error)}`);
  }
}

function payloadOf({ failure, conversationId, cost }: Completion): Record<string, unknown> {
  const { AUTOMATION_RUN_ID: runId } = process.env;
  return {
    status: failure === undefined ? "COMPLETED" : "FAILED",
    ...(runId && { run_id: runId }),
    ...(failure && { error: eventOf(failure.error) }),
    ...(conversationId !== undefined && { conversation_id: conversationId }),
    ...(cost !== undefined && { cost }),
  };
}

function eventOf(error: unknown): Record<string, string> {
  const [code, detail] = error instanceof Error ? [error.name, error.message] : ["Error", String(error)];
  return { source: "environment", code, detail: detail.slice(0, longestDetail) };
}

/** By code or name alone: the text of an error may quote a header. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  if (error.name === "TimeoutError") return `no answer within ${longestMs} ms`;
  const { cause } = error;
  if (cause instanceof Error) return "code" in cause ? String(cause.code) : cause.name;
  return error.name;
}

function warn(what: string): void {
  process.emitWarning(`the completion callback was not delivered: ${what}`, { code: "YONDER_COMPLETION_CALLBACK" });
}
