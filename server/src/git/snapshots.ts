import { createHash, randomUUID } from "node:crypto";
import { InvalidRequest } from "../util/errors.ts";

/** A part of a list, and where the next one begins. */
export interface Page<Answer, Item> {
  readonly answer: Answer;
  readonly items: readonly Item[];
  readonly nextToken: string;
  readonly isFirst: boolean;
}

export interface PageRequest {
  /** Equal for equal questions: a token goes on with its own question alone. */
  readonly question: string;
  readonly token: string;
  readonly size: number;
}

interface Kept {
  readonly answer: unknown;
  readonly weight: number;
  readonly timer: NodeJS.Timeout;
}

interface Token {
  /** The snapshot. */
  readonly s: string;
  /** The question's hash. */
  readonly q: string;
  /** How many items were answered. */
  readonly n: number;
  /** The key of the last one. */
  readonly k: string;
}

const RETENTION_MS = 60_000;
const MOST_ITEMS_KEPT = 500_000;
/** Well below what a unary reply may have, which also holds what is not counted here. */
const MOST_PAGE_BYTES = 1536 * 1024;

/**
 * Cuts long answers into pages that all show the same moment: an answer is kept until its last page is fetched or a
 * minute is over; after that it is made anew, and the page goes on behind the last key.
 */
export class Snapshots {
  readonly #kept = new Map<string, Kept>();
  #weight = 0;

  /**
   * @param make makes the answer
   * @param itemsOf its items, sorted by their keys
   * @param keyOf the bytes that sort an item; no two have the same
   */
  async page<Answer, Item>(
    { question, token, size }: PageRequest,
    make: () => Promise<Answer>,
    itemsOf: (answer: Answer) => readonly Item[],
    keyOf: (item: Item) => Buffer,
  ): Promise<Page<Answer, Item>> {
    const q = createHash("sha256").update(question).digest("base64url").slice(0, 12);
    const from = token === "" ? undefined : readToken(token, q);
    const kept = from === undefined ? undefined : this.#kept.get(from.s);
    const answer = kept === undefined ? await make() : (kept.answer as Answer);
    const items = itemsOf(answer);
    let begin = 0;
    if (kept !== undefined) begin = from?.n ?? 0;
    else if (from !== undefined) begin = firstBehind(items, keyOf, Buffer.from(from.k, "base64url"));

    const end = pageEnd(items, keyOf, begin, size);
    const last = items[end - 1];
    const isFirst = from === undefined;
    if (end >= items.length || last === undefined) {
      return { answer, items: items.slice(begin, end), nextToken: "", isFirst };
    }
    const s = from !== undefined && kept !== undefined ? from.s : this.#keep(answer, items.length);
    const next: Token = { s, q, n: end, k: keyOf(last).toString("base64url") };
    const nextToken = Buffer.from(JSON.stringify(next)).toString("base64url");
    return { answer, items: items.slice(begin, end), nextToken, isFirst };
  }

  close(): void {
    for (const id of this.#kept.keys()) this.#forget(id);
  }

  #keep(answer: unknown, weight: number): string {
    const id = randomUUID();
    const timer = setTimeout(() => this.#forget(id), RETENTION_MS);
    timer.unref();
    this.#kept.set(id, { answer, weight, timer });
    this.#weight += weight;
    for (const oldest of this.#kept.keys()) {
      if (this.#weight <= MOST_ITEMS_KEPT || oldest === id) break;
      this.#forget(oldest);
    }
    return id;
  }

  #forget(id: string): void {
    const kept = this.#kept.get(id);
    if (kept === undefined) return;
    clearTimeout(kept.timer);
    this.#kept.delete(id);
    this.#weight -= kept.weight;
  }
}

function readToken(text: string, question: string): Token {
  let token: Partial<Token> | null = null;
  try {
    token = JSON.parse(Buffer.from(text, "base64url").toString("utf8")) as Partial<Token> | null;
  } catch {
    // Refused below.
  }
  const { s, q, n, k } = token ?? {};
  if (typeof s !== "string" || typeof k !== "string" || typeof n !== "number" || !Number.isSafeInteger(n) || n < 0) {
    throw new InvalidRequest("INVALID_FIELD", "page_token is not one that this server gave", { subject: "page_token" });
  }
  if (q !== question) {
    throw new InvalidRequest("INVALID_FIELD", "page_token is of a request with other fields", {
      subject: "page_token",
    });
  }
  return { s, q, n, k };
}

function firstBehind<Item>(items: readonly Item[], keyOf: (item: Item) => Buffer, key: Buffer): number {
  const index = items.findIndex((item) => Buffer.compare(keyOf(item), key) > 0);
  return index === -1 ? items.length : index;
}

function pageEnd<Item>(items: readonly Item[], keyOf: (item: Item) => Buffer, begin: number, size: number): number {
  let bytes = 0;
  let end = begin;
  for (; end < items.length && end - begin < size; end++) {
    const item = items[end];
    // A path may be told twice, as text (where each byte may become three) and as bytes, and an old one beside it.
    bytes += item === undefined ? 0 : 64 + keyOf(item).length * 4;
    if (end > begin && bytes > MOST_PAGE_BYTES) break;
  }
  return end;
}
