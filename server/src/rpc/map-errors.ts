import type { ConnectError, Interceptor } from "@connectrpc/connect";
import { DomainError } from "../util/errors.ts";
import { callRecordKey } from "./call-record.ts";
import { toConnectError } from "./error-map.ts";
import type { OnInternalError } from "./error-map.ts";
import { interceptStream } from "./intercept-stream.ts";
import { abortError } from "./return-on-abort.ts";

/** Turns whatever a call throws into what its caller is told. */
export function mapErrors(onInternal: OnInternalError): Interceptor {
  return (next) => async (request) => {
    const map = (error: unknown): ConnectError => {
      // What a handler throws once its call is aborted (AbortError, ECANCELED …) is the abort's echo, not a fault.
      const isEcho = request.signal.aborted && !(error instanceof DomainError);
      const mapped = isEcho ? abortError(request.signal) : toConnectError(error, onInternal);
      const record = request.contextValues.get(callRecordKey);
      if (record !== undefined) record.error = mapped;
      return mapped;
    };
    try {
      const response = await next(request);
      if (!response.stream) return response;
      const message = interceptStream<object>(response.message, async (iterator) => {
        try {
          return await iterator.next();
        } catch (error) {
          throw map(error);
        }
      });
      return { ...response, message: message as typeof response.message };
    } catch (error) {
      throw map(error);
    }
  };
}
