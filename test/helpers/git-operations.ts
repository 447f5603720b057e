import type {
  CloneRepositoryResult,
  FetchResult,
  GitProgress,
  GitStarted,
  PullResult,
  PushResult,
} from "@yonder/proto";

interface OperationResponse {
  readonly event:
    | { case: "started"; value: GitStarted }
    | { case: "progress"; value: GitProgress }
    | { case: "heartbeat"; value: unknown }
    | { case: "result"; value: CloneRepositoryResult | FetchResult | PullResult | PushResult }
    | { case: undefined; value?: undefined };
}

type ResultOf<R> = R extends { event: infer E } ? (E extends { case: "result"; value: infer V } ? V : never) : never;

export interface FinishedOperation<Result> {
  readonly started: GitStarted;
  readonly progress: readonly GitProgress[];
  readonly result: Result;
}

/** Reads an operation to its end; checks that it begins with `started` and that the result comes last. */
export async function finish<R extends OperationResponse>(
  stream: AsyncIterable<R>,
): Promise<FinishedOperation<ResultOf<R>>> {
  const events: R["event"][] = [];
  for await (const { event } of stream) events.push(event);
  const [first] = events;
  const last = events.at(-1);
  const results = events.filter((event) => event.case === "result");
  if (first?.case !== "started") throw new Error(`the stream begins with ${first?.case}`);
  if (last?.case !== "result" || results.length !== 1) throw new Error(`the stream ends with ${last?.case}`);
  const progress = events.flatMap((event) => (event.case === "progress" ? [event.value] : []));
  return { started: first.value, progress, result: last.value as ResultOf<R> };
}
