import type { Interceptor } from "@connectrpc/connect";
import { interceptStream } from "./intercept-stream.ts";

/** When the server last did something for a client. */
export class Activity {
  #lastMs = Date.now();

  get lastTime(): Date {
    return new Date(this.#lastMs);
  }

  /** Something happened; services call it for what is no call, such as a command's end. */
  touch(): void {
    this.#lastMs = Date.now();
  }

  /** Counts the begin and the end of every call but those that only look at the server. */
  readonly interceptor: Interceptor = (next) => async (request) => {
    const { parent, name } = request.method;
    if (parent.typeName.startsWith("grpc.") || name === "GetInfo") return await next(request);
    this.touch();
    try {
      const response = await next(request);
      if (!response.stream) return response;
      const message = interceptStream<object>(response.message, (iterator) => {
        this.touch();
        return iterator.next();
      });
      return { ...response, message: message as typeof response.message };
    } finally {
      this.touch();
    }
  };
}
