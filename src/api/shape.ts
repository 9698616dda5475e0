// What every Kubernetes object has, whatever its kind: apiVersion, kind, a name; its namespace and labels are strings.
import type { FieldPath } from './field-path.ts'
import { GROUP } from './resource.ts'

export type KubeDocument = {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly [key: string]: unknown }
  readonly [key: string]: unknown
}

type Wrong = { readonly path: FieldPath; readonly message: string }
type Fields = { readonly [key: string]: unknown }

const ROUTES: readonly unknown[] = ['Ingress', 'HTTPRoute']

export function wrongShape(object: unknown): Wrong[] {
  if (!isMap(object)) return [{ path: [], message: 'must be a Kubernetes object: apiVersion, kind and metadata' }]
  const { apiVersion, kind, metadata } = object
  const wrong: Wrong[] = []
  if (!isText(apiVersion)) wrong.push({ path: ['apiVersion'], message: 'must be given, as a string' })
  if (!isText(kind)) wrong.push({ path: ['kind'], message: 'must be given, as a string' })
  if (isMap(metadata)) return [...wrong, ...wrongMetadata(metadata, ROUTES.includes(kind))]
  const nameless = metadata === undefined && isText(apiVersion) && apiVersion.startsWith(`config.${GROUP}/`)
  return nameless ? wrong : [...wrong, { path: ['metadata'], message: 'must be given, with a name' }]
}

function wrongMetadata(metadata: Fields, isRoute: boolean): Wrong[] {
  const { name, generateName, namespace } = metadata
  const wrong: Wrong[] = []
  const generated = isRoute && name === undefined && isText(generateName)
  if (!isText(name) && !generated) {
    wrong.push({
      path: ['metadata', 'name'],
      message: 'must be given, as a string (in quotes if it looks like a number)',
    })
  }
  if (namespace !== undefined && namespace !== null && typeof namespace !== 'string')
    wrong.push({ path: ['metadata', 'namespace'], message: 'must be a string; put it in quotes' })
  return [...wrong, ...wrongStrings(metadata, 'labels'), ...wrongStrings(metadata, 'annotations')]
}

function wrongStrings(metadata: Fields, field: 'labels' | 'annotations'): Wrong[] {
  const found = metadata[field]
  if (found === undefined || found === null) return []
  const path = ['metadata', field]
  if (!isMap(found)) return [{ path, message: 'must be a map of strings' }]
  return Object.entries(found)
    .filter(([, value]) => typeof value !== 'string')
    .map(([key]) => ({ path: [...path, key], message: 'must be a string; put it in quotes' }))
}

function isMap(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
