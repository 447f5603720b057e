import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { blocks } from "./pages.ts";

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
}

type Model = new (data: object) => { validate(): void };

const manifests = blocks
  .filter(({ language, text }) => language === "yaml" && text.startsWith("apiVersion:"))
  .flatMap(({ page, line, text }) =>
    parseAllDocuments(text).map((document) => ({ page, line, ...(document.toJS() as Manifest) })),
  );

test("there are manifests", () => {
  expect(manifests.map(({ kind }) => kind)).toContain("Deployment");
});

test.each(manifests)("Kubernetes takes the $kind in $page", async ({ page: _page, line: _line, ...manifest }) => {
  const { apiVersion, kind } = manifest;
  const models = (await import(/* @vite-ignore */ `kubernetes-models/${apiVersion}`)) as Record<string, Model>;
  const Model = models[kind];
  if (Model === undefined) throw new Error(`Kubernetes knows no ${kind} in ${apiVersion}`);
  expect(() => new Model(manifest).validate()).not.toThrow();
});
