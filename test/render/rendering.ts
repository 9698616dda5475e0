// Runs the render command in this process, on texts, with the facts of the manifests beside this file.
import { join } from 'node:path'
import { readDocuments } from '../../src/api/documents.ts'
import { type RenderOptions, render } from '../../src/commands/render.ts'

export const FACTS = join(import.meta.dirname, 'manifests')

export type Result = { code: number; out: string; err: string }

export async function renderText(text: string, options: Partial<RenderOptions> = {}, colour = false): Promise<Result> {
  const result: Result = { code: -1, out: '', err: '' }
  const io = {
    out: (part: string) => {
      result.out += part
    },
    err: (part: string) => {
      result.err += part
    },
    stopped: () => new Promise<void>(() => {}),
  }
  const terminal = { stdin: async () => Buffer.from(text), colour }
  result.code = await render({ file: ['-'], facts: FACTS, output: 'yaml', ...options }, io, terminal)
  return result
}

type Found = { kind: string; metadata: { name: string; namespace?: string; annotations?: Record<string, string> } }

export function objects(text: string): Found[] {
  const { documents, problems } = readDocuments(text, 'output')
  if (problems.length > 0) throw new Error(JSON.stringify(problems))
  return documents.map(each => each.object as unknown as Found)
}

export function names(text: string): string[] {
  return objects(text).map(({ kind, metadata: { namespace, name } }) =>
    namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`,
  )
}

/** An Ingress of the team blue, as an author would write it. */
export function ingress(name: string, { head = '', label = '"true"', annotations = '' } = {}): string {
  return `${head}apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: ${name}
  namespace: apps
  labels:
    auth.example/protect: ${label}
${annotations}spec:
  rules:
  - host: ${name}.blue.example.com
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: ${name}, port: {number: 80}}}}
`
}

export function httpRoute(
  name: string,
  { gateway = 'public', team = 'blue', label = '', backend = name } = {},
): string {
  return `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: ${name}
  namespace: apps
  labels: {auth.example/protect: "${label || team}"}
spec:
  parentRefs:
  - {name: ${gateway}, namespace: edge}
  hostnames: [${name}.${team}.example.com]
  rules:
  - backendRefs:
    - {name: ${backend}, port: 80}
`
}
