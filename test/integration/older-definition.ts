// The definition of a kind as an older release has it.
import type { JsonObject } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'

/** As it was before rules could be written in CEL. */
export function withoutCel(crd: KubeObject): KubeObject {
  const without = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(without)
    if (typeof value !== 'object' || value === null) return value
    const { cel: _, ...others } = value as JsonObject
    return Object.fromEntries(
      Object.entries(others)
        .filter(([key, each]) => key !== 'x-kubernetes-validations' || !JSON.stringify(each).includes('cel'))
        .map(([key, each]) => [key, without(each)]),
    )
  }
  return { ...withoutVersion(crd), spec: without(crd.spec) }
}

/** For `kubectl replace`, whatever has become of it meanwhile. */
export function withoutVersion({ apiVersion, kind, metadata, spec }: KubeObject): KubeObject {
  const { managedFields: _, resourceVersion: __, ...others } = metadata
  return { apiVersion, kind, metadata: others, spec }
}
