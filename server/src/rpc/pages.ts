import { invalidField } from "./fields.ts";

/** A page of a list begins below a key; the token is that key and says nothing else. */
export function pageToken(key: number): string {
  return Buffer.from(String(key)).toString("base64url");
}

/** The key that a token holds; undefined for the first page. */
export function pageOf(token: string): number | undefined {
  if (token === "") return undefined;
  const key = Buffer.from(token, "base64url").toString();
  if (!/^[0-9]{1,15}$/.test(key)) throw invalidField("page_token", "is not one that this server gave");
  return Number(key);
}
