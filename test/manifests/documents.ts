// The shipped manifests as documents, as the kustomization lists them.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'
import { array, object } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'

export const MANIFESTS = join(import.meta.dirname, '../../manifests')

export const kustomization: Readonly<Record<string, unknown>> = parse(text('kustomization.yaml'))

export const documents: readonly KubeObject[] = array(kustomization.resources)
  .map(String)
  .flatMap(file => parseAllDocuments(text(file)))
  .map(each => each.toJS())

export function text(file: string): string {
  return readFileSync(join(MANIFESTS, file), 'utf8')
}

export function hasFile(file: string): boolean {
  return existsSync(join(MANIFESTS, file))
}

export function ofKind(kind: string): KubeObject[] {
  return documents.filter(each => each.kind === kind)
}

/** The only one of its kind, or of that name. */
export function one(kind: string, name?: string): KubeObject {
  const [found, another] = ofKind(kind).filter(each => name === undefined || each.metadata.name === name)
  if (found === undefined || another !== undefined) throw new Error(`not exactly one ${kind} ${name ?? ''}`)
  return found
}

export type Rule = {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly operations: readonly string[]
  readonly scope: string
}

export type Expressions = { readonly matchExpressions?: { key: string; operator: string; values?: string[] }[] }

export type Entry = {
  readonly configuration: string
  readonly name: string
  readonly clientConfig: { readonly service: { namespace: string; name: string; port: number; path: string } }
  readonly rules: readonly Rule[]
  readonly namespaceSelector?: Expressions
  readonly objectSelector?: Expressions
  readonly failurePolicy: string
  readonly [field: string]: unknown
}

/** Of both webhook configurations. */
export const entries: readonly Entry[] = [
  ...ofKind('MutatingWebhookConfiguration'),
  ...ofKind('ValidatingWebhookConfiguration'),
].flatMap(({ kind, webhooks }) => array(webhooks).map(each => ({ ...(object(each) as Entry), configuration: kind })))
